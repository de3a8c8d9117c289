"""Two servers, one script: ours and the real one are asked the same and must answer the same.

The codec here is deliberately not the bridge's own: an encoder shared with the code under test would hide its faults.
"""
