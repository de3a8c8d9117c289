"""Files of bbolt, etcd's storage engine, version 2 of the format: reading any, writing one from sorted pairs.

Pure: reads and writes go to what the caller passes in. A file damaged in any way gives BboltCorrupt, in time and memory
bounded by the size of the file.
"""
