#!/bin/sh
# Runs one broker until it is told to stop: sh start.sh DIRECTORY JARS
# DIRECTORY holds server.properties and jvm.args; the topics go to logs/ in it, what the broker says to broker.log.
# The same script runs on a machine's own Java and in the image apache/kafka. Formats the storage once, for the cluster that
# cluster.id in DIRECTORY names; without it for one of its own.
set -eu
directory=$1
jars=$2
exec </dev/null >>"$directory/broker.log" 2>&1
set -- "@$directory/jvm.args" -cp "$jars/*"

if [ ! -f "$directory/logs/meta.properties" ]; then
  # An id in base64url may begin with a dash, so it never stands alone.
  id=$(cat "$directory/cluster.id" 2>/dev/null || head -c 16 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=\n')
  java "$@" kafka.tools.StorageTool format "--cluster-id=$id" --config "$directory/server.properties"
fi
exec java "$@" kafka.Kafka "$directory/server.properties"
