#!/bin/sh
# The pipeline once through, on the engines that the environment names, with the people and
# addresses of a folder that `python -m application.synth build/synth` has made; X has its posts:
# python -m misc.engines --posts build/synth/posts.jsonl -- sh misc/pipeline.sh build/synth
set -eu
PYTHON=${PYTHON:-python3}
folder=$(cd "${1:?the folder that application.synth has made}" && pwd)

step() { printf '\n--- %s\n' "$*"; }

step the lake: tables and views
$PYTHON -m application.lake

step addresses arrive in the bucket, customers are extracted from the CRM
$PYTHON -m misc.drop "$folder"/geo/*.dat
$PYTHON -m application.geo_load --once
CRM_URL="sqlite:///$folder/crm.sqlite" $PYTHON -m application.crm_extract

step four producers search for posts, one a quadrant
for quadrant in ctne ctnw ctse ctsw; do
  $PYTHON pythonapp/bmctwitter.py $quadrant.yaml --until-idle 1 || exit
done

step the consumer matches them, judges and decides
$PYTHON application/KafkaSnowflake.py --until-idle 2

step what was no post is brought along
$PYTHON -m application.dead_letters

step what is in the lake now
$PYTHON -m misc.glance
