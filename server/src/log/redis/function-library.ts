/**
 * The operations of the log as one library of Redis Functions, so that each is one atomic step and the
 * relay's user needs no right to run scripts of its own. Loaded by the operator, never by a relay.
 *
 * The number in the names changes with the meaning of any function or of what it stores. Two versions
 * can be loaded side by side, so relays of both can run during an upgrade.
 */
export const libraryVersion = 1

/** Name of the library on the server. */
export const libraryName: string = `liaison_v${libraryVersion}`

/** Names of the functions in the library. */
export type FunctionName =
  | 'version'
  | 'claim'
  | 'accept'
  | 'append_directory'
  | 'append_ack'
  | 'append_leaf'
  | 'put_blob'
  | 'touch'
  | 'renew'
  | 'leave'

/** Name of a function as the server knows it. */
export const functionName = (name: FunctionName): string => `${libraryName}_${name}`

/**
 * Source of the library.
 *
 * Numbers of the log live in one hash, `numbers`: `dir` and `leaves` are sizes, `t:<topic>` and
 * `a:<member>` last positions. Whatever a function writes carries a checksum over its own key and
 * position, because an append-only file has none: a byte that changed on disk must be noticed. It is a
 * guard against accidents; against forgery there are signatures and the audit log.
 *
 * A repeated write that changes nothing still counts itself in `repeats`: WAIT looks only at writes of
 * its own connection, and the first answer may be given again only when the data is safe.
 */
export const librarySource: string = `#!lua name=${libraryName}
local corrupt = 'LIAISONCORRUPT '

local function decimal(number)
  return string.format('%.0f', number)
end

local function sum(...)
  return string.sub(redis.sha1hex(table.concat({...}, ':')), 1, 16)
end

local function sealed(key, place, body)
  return body .. sum(key, place, body)
end

local function opened(key, place, stored)
  local body = string.sub(stored, 1, -17)
  if sum(key, place, body) ~= string.sub(stored, -16) then
    return nil, redis.error_reply(corrupt .. key)
  end
  return body
end

local function number_of(numbers, field)
  return tonumber(redis.call('HGET', numbers, field) or '0')
end

local function repeated(numbers)
  redis.call('HINCRBY', numbers, 'repeats', 1)
end

local function append(key, position, body, digest)
  local id = decimal(position) .. '-0'
  redis.call('XADD', key, id, 'b', body, 'c', sum(key, id, digest))
end

local function append_leaf(numbers, leaves, leaf, grew)
  local size = redis.call('HINCRBY', numbers, 'leaves', 1)
  local id = decimal(size) .. '-0'
  redis.call('XADD', leaves, id, 'b', leaf, 'g', grew, 'c', sum(leaves, id, grew, leaf))
  return size - 1
end

local function cbor_uint(number)
  if number < 24 then return string.char(number) end
  if number < 256 then return string.char(24, number) end
  if number < 65536 then return struct.pack('>BI2', 25, number) end
  if number < 4294967296 then return struct.pack('>BI4', 26, number) end
  return struct.pack('>BI8', 27, number)
end

local function version()
  return ${libraryVersion}
end

-- keys: meta; args: network
local function claim(keys, args)
  redis.call('HSETNX', keys[1], 'net', args[1])
  return redis.call('HGET', keys[1], 'net')
end

local function is_no_hash(hash)
  return hash == string.rep(string.char(0), 32)
end

-- Why the envelope may not follow the head of its chain.
local function chain_refusal(chain, inc, seq, prev)
  local stored = redis.call('HGET', chain, 'head')
  if not stored then
    if seq ~= 0 then return 'seq_gap', false end
    if not is_no_hash(prev) then return 'prev_mismatch', false end
    return
  end
  local head, failure = opened(chain, 'head', stored)
  if failure then return failure end
  local head_inc, head_seq = struct.unpack('>I8I8', head)
  if inc < head_inc then return 'incarnation_stale', head end
  if inc > head_inc then
    if seq ~= 0 then return 'seq_gap', head end
    if not is_no_hash(prev) then return 'prev_mismatch', head end
    return
  end
  if seq ~= head_seq + 1 then return 'seq_gap', head end
  if prev ~= string.sub(head, 17, 48) then return 'prev_mismatch', head end
end

local function refusal_of(numbers, chain, ids, args)
  if redis.call('HEXISTS', ids, args[9]) == 1 then return 'id_reused', false end
  local size = number_of(numbers, 'dir')
  if size ~= tonumber(args[1]) then return 'fence', size end
  return chain_refusal(chain, tonumber(args[5]), tonumber(args[6]), args[8])
end

-- keys: numbers, leaves, topic, slots, chain, ids, cores
-- args: fence, core, from, topic, inc, seq, place, prev, id, t, record, its digest, slots, their digest,
--       leaf before the cursor, leaf after it
local function accept(keys, args)
  local numbers, leaves, topic, slots, chain, ids, cores = unpack(keys)
  local core, from, topic_number = args[2], tonumber(args[3]), args[4]
  local inc, seq, place, id = tonumber(args[5]), tonumber(args[6]), args[7], args[9]

  local stored = redis.call('HGET', chain, place)
  if stored then
    local body, failure = opened(chain, place, stored)
    if failure then return failure end
    repeated(numbers)
    if string.sub(body, 1, 32) == core then return {'duplicate', body} end
    return {'seq_reused'}
  end
  local refusal, detail = refusal_of(numbers, chain, ids, args)
  if type(refusal) == 'table' then return refusal end
  if refusal then
    repeated(numbers)
    return {refusal, detail}
  end

  local cursor = redis.call('HINCRBY', numbers, 't:' .. topic_number, 1)
  local grew = 't:' .. topic_number .. ':' .. decimal(cursor)
  local leaf = append_leaf(numbers, leaves, args[15] .. cbor_uint(cursor) .. args[16], grew)
  append(topic, cursor, args[11], args[12])
  append(slots, cursor, args[13], args[14])
  local body = core .. struct.pack('>I4I4I8I8I8', from, tonumber(topic_number), cursor, leaf, tonumber(args[10]))
  redis.call('HSET', chain, place, sealed(chain, place, body),
    'head', sealed(chain, 'head', struct.pack('>I8I8', inc, seq) .. core))
  redis.call('HSET', ids, id, core)
  redis.call('HSET', cores, core, sealed(cores, core, struct.pack('>I4I8', tonumber(topic_number), cursor)))
  return {'accepted', body}
end

-- keys: numbers, leaves, directory; args: index, entry, its digest, leaf
local function append_directory(keys, args)
  local numbers, leaves, directory = unpack(keys)
  local size = number_of(numbers, 'dir')
  if size ~= tonumber(args[1]) then
    repeated(numbers)
    return {'fence', size}
  end
  redis.call('HINCRBY', numbers, 'dir', 1)
  append(directory, size + 1, args[2], args[3])
  return {'appended', append_leaf(numbers, leaves, args[4], 'd:' .. decimal(size + 1))}
end

-- keys: numbers, leaves, seen, and the acknowledgements of each member
-- args: hash of the acknowledgement, record, its digest, leaf, and the number of each member
local function append_ack(keys, args)
  local numbers, leaves, seen = keys[1], keys[2], keys[3]
  if redis.call('HEXISTS', seen, args[1]) == 1 then
    repeated(numbers)
    return {'duplicate'}
  end
  local grew = {}
  for at = 4, #keys do
    local member = args[at + 1]
    local index = redis.call('HINCRBY', numbers, 'a:' .. member, 1)
    append(keys[at], index, args[2], args[3])
    grew[#grew + 1] = 'a:' .. member .. ':' .. decimal(index)
  end
  local leaf = append_leaf(numbers, leaves, args[4], table.concat(grew, ' '))
  redis.call('HSET', seen, args[1], decimal(leaf))
  return {'appended', leaf, table.concat(grew, ' ')}
end

-- keys: numbers, leaves; args: leaf
local function append_one_leaf(keys, args)
  return {'appended', append_leaf(keys[1], keys[2], args[1], '')}
end

-- keys: numbers, blobs; args: hash, bytes, their digest
local function put_blob(keys, args)
  if redis.call('HEXISTS', keys[2], args[1]) == 1 then
    repeated(keys[1])
  else
    redis.call('HSET', keys[2], args[1], args[2] .. sum(keys[2], args[1], args[3]))
  end
  return {'kept'}
end

-- keys: numbers
local function touch(keys)
  repeated(keys[1])
  return {'touched'}
end

-- A lease is given only for the newest directory, so no lease outlives the suspension that it misses.
-- keys: numbers, relays; args: instance, directory size that it enforces
local function renew(keys, args)
  local size = number_of(keys[1], 'dir')
  if tonumber(args[2]) < size then
    repeated(keys[1])
    return {'behind', size}
  end
  local times = redis.call('HINCRBY', keys[1], 'renewals', 1)
  redis.call('HSET', keys[2], args[1], args[2] .. ':' .. decimal(times))
  return {'renewed', size}
end

-- Forgets a relay that ended or whose lease ran out, unless it renewed meanwhile.
-- keys: numbers, relays; args: instance, what was seen of it or empty
local function leave(keys, args)
  if args[2] == '' or redis.call('HGET', keys[2], args[1]) == args[2] then
    redis.call('HDEL', keys[2], args[1])
  end
  repeated(keys[1])
  return {'left'}
end

local function register(name, callback, flags)
  redis.register_function{function_name = '${libraryName}_' .. name, callback = callback, flags = flags}
end

register('version', version, {'no-writes', 'allow-stale'})
register('claim', claim)
register('accept', accept)
register('append_directory', append_directory)
register('append_ack', append_ack)
register('append_leaf', append_one_leaf)
register('put_blob', put_blob)
register('touch', touch)
register('renew', renew)
register('leave', leave)
`
