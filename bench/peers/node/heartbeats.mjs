// A heartbeat: signature by node:crypto, then the counter, then the sample. It knows an instance's first heartbeat and all that follow in its epoch and month.
import { createHash, createPublicKey, verify } from 'node:crypto';
import {
  ConditionalCheckFailedException, DynamoDBClient, GetItemCommand, PutItemCommand, TransactWriteItemsCommand, UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';

const env = process.env;
const dynamo = new DynamoDBClient({ maxAttempts: 3, requestHandler: { requestTimeout: 1500 } });
const clockToleranceS = 300;

export async function handler(event, lambda) {
  try {
    const answer = await record(event);
    if (answer.problem) return problem(event, ...answer.problem);
    console.log(JSON.stringify({ time: new Date(), level: 'Information', event: 'heartbeat_accepted', ...answer.log }));
    return { statusCode: 200, headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' }, body: JSON.stringify(answer.receipt) };
  } catch (error) {
    console.error(JSON.stringify({ level: 'Error', event: 'heartbeat_failed', request_id: lambda.awsRequestId, error: error.stack }));
    return problem(event, 503, 'unavailable', 'Unavailable', true);
  }
}

async function record(event) {
  const headers = Object.fromEntries(Object.entries(event.headers).map(([name, value]) => [name.toLowerCase(), value]));
  const bytes = Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8');
  if (bytes.length > 16 * 1024) return refuse(413, 'too-large', 'Too large');
  if (!/^application\/json(;|$)/i.test(headers['content-type'] ?? '')) return refuse(415, 'unsupported-media-type', 'Unsupported media type');

  const { 'webhook-id': id = '', 'webhook-timestamp': timestamp = '', 'webhook-signature': signatures = '', 'x-dp-key-id': keyIds = '' } = headers;
  const invalid = refuse(401, 'signature-invalid', 'Signature invalid');
  if (!/^hb_[A-Za-z0-9_-]{1,120}$/.test(id) || !/^[0-9]{1,18}$/.test(timestamp)) return invalid;
  const now = Date.now();
  if (Math.abs(Math.floor(now / 1000) - Number(timestamp)) > clockToleranceS) return refuse(401, 'timestamp-out-of-window', 'Timestamp out of window', true);
  const key = await signerOf(Buffer.concat([Buffer.from(`${id}.${timestamp}.`), bytes]), signatures, keyIds, now);
  if (!key) return invalid;
  const tenant = await tenants.get(key.tenant);
  if (!tenant) return invalid;

  const body = parsed(bytes);
  if (!body) return refuse(400, 'malformed', 'Malformed');
  if (body.tenant_id !== key.tenant) return refuse(403, 'tenant-mismatch', 'Tenant mismatch');
  if (key.instance && key.instance !== body.instance_id) return refuse(403, 'instance-mismatch', 'Instance mismatch');
  if (id !== `hb_${body.instance_id}_${body.epoch}_${body.counter}`) return refuse(422, 'id-mismatch', 'Id mismatch');
  const network = `10.${99 + Number(key.tenant.slice('tenant-'.length))}.`;
  if (!event.requestContext.identity.sourceIp.startsWith(network)) return refuse(403, 'source-network-mismatch', 'Source network mismatch');
  const sampled = Date.parse(body.sampled_at);
  if (body.epoch > now / 1000 + clockToleranceS) return refuse(422, 'epoch-in-future', 'Epoch in the future');
  if (sampled > now + clockToleranceS * 1000 || sampled < now - 30 * 86_400_000 || sampled < (body.epoch - clockToleranceS) * 1000) {
    return refuse(422, 'sampled-at-implausible', 'Sample time implausible');
  }

  const booked = await book(key.tenant, body, createHash('sha256').update(bytes).digest('hex'), sampled, now, tenant.instancesMax);
  if (booked.problem) return booked;
  // After the booking, and again for a repeat: the first time may have stopped between the two.
  await keep(key, body, sampled);
  return {
    receipt: {
      status: 'accepted', duplicate: booked.duplicate, epoch: body.epoch, counter: body.counter, gap: booked.gap, server_time: new Date(now).toISOString(),
      next_interval_s: 60, directives: tenant.status === 'active' ? [] : ['suspended'],
    },
    log: { tenant: key.tenant, instance: body.instance_id, epoch: body.epoch, counter: body.counter, gap: booked.gap, duplicate: booked.duplicate },
  };
}

async function signerOf(signed, signatures, keyIds, now) {
  const proofs = signatures.split(' ').filter((proof) => proof.startsWith('v1a,')).map((proof) => Buffer.from(proof.slice(4), 'base64'));
  const ids = keyIds.split(',');
  if (proofs.length > 4 || proofs.length !== ids.length) return undefined;
  for (const [i, proof] of proofs.entries()) {
    const key = await keys.get(ids[i]);
    if (key && now < key.notAfter && proof.length === 64 && verify(null, signed, key.publicKey, proof)) return key;
  }
  return undefined;
}

/** The JSON with every member of its type and range, or undefined. */
function parsed(bytes) {
  let body;
  try {
    body = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
  const isWhole = (value, least) => Number.isSafeInteger(value) && value >= least;
  const isPercent = (value) => typeof value === 'number' && value >= 0 && value <= 1000;
  const { cpu, gpus } = body?.metrics ?? {};
  const isGood = body?.schema === 'heartbeat.v1' && /^[A-Za-z0-9-]{1,64}$/.test(body.instance_id) && isWhole(body.epoch, 1) && isWhole(body.counter, 1)
    && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/.test(body.sampled_at) && isWhole(body.interval_s, 1) && body.interval_s <= 3600
    && isWhole(body.totals?.cpu_ms, 0) && isWhole(body.totals?.gpu_ms, 0)
    && isWhole(cpu?.count, 1) && cpu.count <= 65_536 && isPercent(cpu.utilization_pct)
    && Array.isArray(gpus) && gpus.length <= 16 && gpus.every((gpu) => isWhole(gpu.index, 0) && isPercent(gpu.utilization_pct)
      && isWhole(gpu.memory_used_bytes, 0) && isWhole(gpu.memory_total_bytes, 0));
  return isGood ? body : undefined;
}

/** Counter and usage in one conditional write; what stood in its way comes back with the refusal, and nothing is read first. */
async function book(tenant, { instance_id: instance, epoch, counter, totals, metrics }, hash, sampled, now, most) {
  const number = (value) => ({ N: `${value}` });
  const time = (value) => ({ S: new Date(value).toISOString() });
  const month = new Date(sampled).toISOString().slice(0, 7);
  const believedMs = (clockToleranceS + 1) * 1000; // what a CPU or GPU may add from one sample to the next
  const key = { pk: { S: tenant }, sk: { S: `INSTANCE#${instance}` } };
  try {
    const { Attributes } = await dynamo.send(new UpdateItemCommand({
      TableName: env.INSTANCES_TABLE,
      Key: key,
      UpdateExpression:
        'SET #counter = :counter, body_hash = :hash, cpu_ms = :cpu, gpu_ms = :gpu, sampled_at = :sampled, last_seen = :now REMOVE gpu_unreadable_since',
      ConditionExpression:
        'epoch = :epoch AND #counter < :counter AND #month >= :month AND cpu_ms BETWEEN :cpu_least AND :cpu AND gpu_ms BETWEEN :gpu_least AND :gpu'
        + ' AND base_cpu_ms <= :cpu_room AND base_gpu_ms <= :gpu_room AND sampled_at <= :before',
      ExpressionAttributeNames: { '#counter': 'counter', '#month': 'month' },
      ExpressionAttributeValues: {
        ':epoch': number(epoch), ':counter': number(counter), ':hash': { S: hash }, ':month': { S: month },
        ':cpu': number(totals.cpu_ms), ':cpu_least': number(totals.cpu_ms - metrics.cpu.count * believedMs),
        ':gpu': number(totals.gpu_ms), ':gpu_least': number(totals.gpu_ms - metrics.gpus.length * believedMs),
        ':cpu_room': number(Number.MAX_SAFE_INTEGER - totals.cpu_ms), ':gpu_room': number(Number.MAX_SAFE_INTEGER - totals.gpu_ms),
        ':before': time(sampled - 1000), ':sampled': time(sampled), ':now': time(now),
      },
      ReturnValues: 'UPDATED_OLD',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    }));
    return { duplicate: false, gap: counter - Number(Attributes.counter.N) - 1 };
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    const last = error.Item;
    if (!last) {
      await enter(key, { epoch, counter, hash, totals, month, sampled: time(sampled), now: time(now) }, most);
      return { duplicate: false, gap: 0 };
    }
    const [lastEpoch, lastCounter] = [Number(last.epoch.N), Number(last.counter.N)];
    if (epoch === lastEpoch && counter === lastCounter) {
      return last.body_hash.S === hash ? { duplicate: true, gap: 0 } : refuse(409, 'counter-conflict', 'Counter conflict');
    }
    if (epoch < lastEpoch || (epoch === lastEpoch && counter < lastCounter)) return refuse(409, 'counter-replayed', 'Counter replayed');
    return refuse(422, 'totals-implausible', 'Totals implausible');
  }
}

/** The first heartbeat of an instance takes a place among its tenant's. */
async function enter(key, { epoch, counter, hash, totals, month, sampled, now }, most) {
  const number = (value) => ({ N: `${value}` });
  const item = {
    ...key, epoch: number(epoch), counter: number(counter), body_hash: { S: hash },
    base_cpu_ms: number(0), base_gpu_ms: number(0), cpu_ms: number(totals.cpu_ms), gpu_ms: number(totals.gpu_ms),
    month: { S: month }, month_cpu_ms: number(0), month_gpu_ms: number(0), sampled_at: sampled, last_seen: now, first_seen: now, told: { S: 'HEALTHY' },
  };
  const place = {
    TableName: env.INSTANCES_TABLE,
    Key: { pk: key.pk, sk: { S: 'TENANT' } },
    UpdateExpression: 'ADD instances :one',
    ConditionExpression: 'attribute_not_exists(instances) OR instances < :most',
    ExpressionAttributeValues: { ':one': number(1), ':most': number(most) },
  };
  await dynamo.send(new TransactWriteItemsCommand({
    TransactItems: [{ Put: { TableName: env.INSTANCES_TABLE, Item: item, ConditionExpression: 'attribute_not_exists(pk)' } }, { Update: place }],
  }));
}

/** The sample, for thirty days. Putting it again changes nothing. */
const keep = (key, body, sampled) => dynamo.send(new PutItemCommand({
  TableName: env.METERING_TABLE,
  Item: {
    pk: { S: key.tenant },
    sk: { S: `${new Date(sampled).toISOString()}#${body.instance_id}#${body.epoch}#${body.counter}` },
    interval_s: { N: `${body.interval_s}` },
    cpu_ms: { N: `${body.totals.cpu_ms}` },
    gpu_ms: { N: `${body.totals.gpu_ms}` },
    metrics: { S: JSON.stringify(body.metrics) },
    key_id: { S: key.id },
    expires_at: { N: `${Math.ceil(sampled / 1000) + 30 * 86_400}` },
  },
}));

/** What was read is kept for a minute, absence too. */
function remembered(read) {
  const known = new Map();
  return {
    async get(id) {
      const entry = known.get(id);
      if (entry && Date.now() - entry.at < 60_000) return entry.value;
      if (known.size >= 1024) known.clear();
      const value = await read(id);
      known.set(id, { value, at: Date.now() });
      return value;
    },
  };
}

const find = async (pk, sk) => (await dynamo.send(new GetItemCommand({ TableName: env.TENANTS_TABLE, Key: { pk: { S: pk }, sk: { S: sk } } }))).Item;

const keys = remembered(async (id) => {
  const item = await find(`KEY#${id}`, 'KEY');
  return item && !item.revoked_at && {
    id,
    tenant: item.owner.S,
    instance: item.instance?.S,
    notAfter: item.not_after ? Date.parse(item.not_after.S) : Infinity,
    publicKey: createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(item.public_key.B).toString('base64url') }, format: 'jwk' }),
  };
});

const tenants = remembered(async (id) => {
  const item = await find(id, 'PROFILE');
  return item && { status: item.status.S, instancesMax: item.instances_max?.N ?? '200' };
});

const refuse = (...problem) => ({ problem });

function problem(event, status, code, title, retryable = false) {
  return {
    statusCode: status,
    headers: { 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store' },
    body: JSON.stringify({ type: `${env.CONTROL_PLANE_URL}/problems/${code}`, title, status, instance: event.requestContext.requestId, code, retryable }),
  };
}
