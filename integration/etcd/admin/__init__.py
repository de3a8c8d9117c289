"""What operators and users under authentication see: the same script on our server and on the real etcd.

Each script is run on both, and what they answered must be the same, field by field, but for ids and tokens.
"""
