#!/bin/sh
# The environment of ZooKeeper's image becomes a zoo.cfg, unless one is mounted.
set -e
if [ "$#" -gt 0 ]; then
    exec "$@"
fi
if [ ! -f /conf/zoo.cfg ]; then
    {
        echo "dataDir=${ZOO_DATA_DIR:-/data}"
        echo "dataLogDir=${ZOO_DATA_LOG_DIR:-/datalog}"
        echo "tickTime=${ZOO_TICK_TIME:-2000}"
        echo "initLimit=${ZOO_INIT_LIMIT:-5}"
        echo "syncLimit=${ZOO_SYNC_LIMIT:-2}"
        echo "autopurge.snapRetainCount=${ZOO_AUTOPURGE_SNAPRETAINCOUNT:-3}"
        echo "autopurge.purgeInterval=${ZOO_AUTOPURGE_PURGEINTERVAL:-0}"
        echo "maxClientCnxns=${ZOO_MAX_CLIENT_CNXNS:-60}"
        echo "standaloneEnabled=${ZOO_STANDALONE_ENABLED:-true}"
        echo "admin.enableServer=${ZOO_ADMINSERVER_ENABLED:-true}"
        if [ -n "$ZOO_4LW_COMMANDS_WHITELIST" ]; then
            echo "4lw.commands.whitelist=$ZOO_4LW_COMMANDS_WHITELIST"
        fi
        for line in $ZOO_CFG_EXTRA; do echo "$line"; done
        for server in ${ZOO_SERVERS:-server.1=localhost:2888:3888;2181}; do echo "$server"; done
    } > /conf/zoo.cfg
fi
if [ ! -f /data/myid ]; then
    echo "${ZOO_MY_ID:-1}" > /data/myid
fi
# shellcheck disable=SC2086
exec java -Xmx500m -Dlog4j.configuration=file:/opt/zookeeper/log4j.properties $JVMFLAGS \
    -cp '/opt/zookeeper/lib/*' org.apache.zookeeper.server.quorum.QuorumPeerMain /conf/zoo.cfg
