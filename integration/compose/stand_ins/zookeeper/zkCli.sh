#!/bin/sh
exec java -Dlog4j.configuration=file:/opt/zookeeper/log4j.properties -Xmx256m -XX:TieredStopAtLevel=1 \
    -cp '/opt/zookeeper/lib/*' org.apache.zookeeper.ZooKeeperMain "$@"
