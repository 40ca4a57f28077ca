#!/bin/sh
# Makes the passwords of the users of Redis, and from deploy/users.acl.example the file that Redis reads.
#
#   deploy/make-secrets.sh PREFIX [FOLDER]
#
# PREFIX  what the keys of the network begin with: `liaison relay init-redis --offline` prints it
# FOLDER  where they go; deploy/secrets when absent
#
# A password that is there stays; users.acl is written anew. As root the files are given to the users
# of the containers: LIAISON_RELAY_UID (10001) and LIAISON_REDIS_UID (999).
set -eu

prefix=${1:?"usage: deploy/make-secrets.sh PREFIX [FOLDER]"}
folder=${2:-deploy/secrets}
here=$(cd "$(dirname "$0")" && pwd)
umask 077
mkdir -p "$folder"

rules="s|@PREFIX@|$prefix|g"
for user in operator relay-1 relay-2 inspector replication sentinel; do
  file="$folder/$user.password"
  [ -e "$file" ] || openssl rand -hex 32 > "$file"
  hash=$(tr -d '\n' < "$file" | openssl dgst -sha256 -r | cut -d ' ' -f 1)
  rules="$rules;s|@SHA256:$user@|$hash|g"
done
# Redis takes user lines only: no comments.
sed -e '/^#/d' -e '/^$/d' -e "$rules" "$here/users.acl.example" > "$folder/users.acl"

# What a server of the store needs to follow another one, and a Sentinel to watch them.
{
  echo "masteruser replication"
  echo "masterauth $(cat "$folder/replication.password")"
} > "$folder/replication.conf"
password=$(cat "$folder/sentinel.password")
{
  echo "sentinel auth-user liaison sentinel"
  echo "sentinel auth-pass liaison $password"
  echo "sentinel sentinel-user sentinel"
  echo "sentinel sentinel-pass $password"
  echo "user sentinel on #$(printf %s "$password" | openssl dgst -sha256 -r | cut -d ' ' -f 1) allchannels -@all +ping +publish +sentinel|is-master-down-by-addr +client|setname"
} > "$folder/sentinel-auth.conf"

if [ "$(id -u)" = 0 ]; then
  relay=${LIAISON_RELAY_UID:-10001}
  redis=${LIAISON_REDIS_UID:-999}
  for user in operator relay-1 relay-2 inspector; do chown "$relay" "$folder/$user.password"; done
  for file in users.acl replication.conf sentinel-auth.conf; do chown "$redis" "$folder/$file"; done
fi
