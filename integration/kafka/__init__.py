"""Kafka, for real: brokers 3.9 in ZooKeeper mode with a chroot on the server under test."""
