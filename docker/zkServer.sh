#!/bin/sh
# For health checks and scripts that call ZooKeeper's own: `zkServer.sh status` says the mode and ends with 0 or 1.
exec /opt/zkbridge/bin/python -P -m zkbridge.image zkServer.sh "$@"
