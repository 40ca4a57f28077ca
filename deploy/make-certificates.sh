#!/bin/sh
# Makes an authority of your own and the certificates that the parts of one deployment show each other.
#
#   deploy/make-certificates.sh [FOLDER] [NAME ...]
#
# FOLDER  where they go; deploy/tls when absent
# NAME    names under which members reach the relays, such as relay.example; for real networks put a
#         certificate of a public authority in place of relay-N.tls.pem and .key instead
#
# What is there stays: remove a certificate to have it made anew, with the same authority. The key of
# the authority (ca.key) is needed for that only; keep it elsewhere.
set -eu

folder=${1:-deploy/tls}
[ $# -eq 0 ] || shift
days=${LIAISON_CERTIFICATE_DAYS:-397}
umask 077
mkdir -p "$folder"

names=
for name in "$@"; do names="$names,DNS:$name"; done

if [ ! -e "$folder/ca.pem" ]; then
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3653 \
    -subj "/CN=Liaison deployment authority" \
    -addext "basicConstraints=critical,CA:TRUE,pathlen:0" \
    -addext "keyUsage=critical,keyCertSign,cRLSign" \
    -keyout "$folder/ca.key" -out "$folder/ca.pem" 2>/dev/null
fi

# certificate FILE NAME ALTERNATIVE-NAMES USES
certificate() {
  [ -e "$folder/$1.pem" ] && return
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$2" \
    -keyout "$folder/$1.key" -out "$folder/$1.csr" 2>/dev/null
  {
    echo "basicConstraints=critical,CA:FALSE"
    echo "keyUsage=critical,digitalSignature"
    echo "extendedKeyUsage=$4"
    echo "subjectAltName=$3"
  } > "$folder/$1.ext"
  openssl x509 -req -in "$folder/$1.csr" -days "$days" -sha256 \
    -CA "$folder/ca.pem" -CAkey "$folder/ca.key" -set_serial "0x$(openssl rand -hex 16)" \
    -extfile "$folder/$1.ext" -out "$folder/$1.pem" 2>/dev/null
  rm "$folder/$1.csr" "$folder/$1.ext"
  echo "made $folder/$1.pem"
}

local="DNS:localhost,IP:127.0.0.1,IP:::1"
for n in 1 2; do
  # Towards members, and towards the store.
  certificate "relay-$n.tls" "relay-$n" "DNS:relay-$n,$local$names" serverAuth
  certificate "relay-$n.store" "relay-$n" "DNS:relay-$n" clientAuth
done
for name in redis redis-2 redis-3 sentinel-1 sentinel-2 sentinel-3; do
  # Servers of the store are clients of each other.
  certificate "$name" "$name" "DNS:$name,$local" serverAuth,clientAuth
done
certificate operator operator "DNS:operator" clientAuth
if [ "$(id -u)" = 0 ]; then
  # As root the files are given to the users of the containers.
  chown "${LIAISON_RELAY_UID:-10001}" "$folder"/relay-*.pem "$folder"/relay-*.key "$folder"/operator.*
  chown "${LIAISON_REDIS_UID:-999}" "$folder"/redis*.pem "$folder"/redis*.key "$folder"/sentinel-*
fi
# The authority's certificate is public; everything else is for its owner.
chmod 644 "$folder/ca.pem"
