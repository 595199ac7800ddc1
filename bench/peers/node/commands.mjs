// The Slack command through Bolt: `help`, and `run` as far as its acknowledgement.
import { createCipheriv, createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { App, AwsLambdaReceiver, LogLevel } from '@slack/bolt';
import {
  ConditionalCheckFailedException, DynamoDBClient, GetItemCommand, QueryCommand, TransactionCanceledException, TransactWriteItemsCommand, UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';

const env = process.env;
const oneTry = { requestTimeout: 1000 };
const dynamo = new DynamoDBClient({ maxAttempts: 2, requestHandler: oneTry });
const sqs = new SQSClient({ maxAttempts: 2, requestHandler: oneTry });
const limits = { user: env.RATE_LIMIT_PER_USER, tenant: env.RATE_LIMIT_PER_TENANT };

// Before the first event: a secret that is missing stops the start.
const stored = await new SecretsManagerClient({ requestHandler: oneTry }).send(new GetSecretValueCommand({ SecretId: env.SLACK_SECRET_ID }));
const secret = JSON.parse(stored.SecretString);
const replyKey = Buffer.from(secret.response_url_key, 'base64');

const sha256 = (text) => createHash('sha256').update(text).digest();
const originHash = sha256(secret.origin_verify);

const receiver = new AwsLambdaReceiver({
  signingSecret: secret.signing_secret,
  logLevel: LogLevel.ERROR,
  customPropertiesExtractor: (event) => ({
    requestId: event.requestContext.requestId,
    sentAt: Number(event.headers['x-slack-request-timestamp']) * 1000,
  }),
});
const app = new App({ receiver, authorize, logLevel: LogLevel.ERROR });

/** Whose workspace it is. Commands are answered by their acknowledgement, so no bot's token is needed. */
async function authorize({ teamId, enterpriseId, isEnterpriseInstall }) {
  const { Item: link } = await dynamo.send(new GetItemCommand({
    TableName: env.TENANTS_TABLE,
    Key: { pk: { S: `SLACK#${isEnterpriseInstall ? enterpriseId : teamId}` }, sk: { S: 'LINK' } },
  }));
  return { tenant: link?.owner.S };
}

app.command('/wf', async ({ ack, command, context }) => {
  const began = performance.now();
  const [, typed, rest] = /^\s*(\S*)\s*([^]*?)\s*$/.exec(unescaped(command.text));
  const verb = typed.toLowerCase() || 'help';
  let answer;
  try {
    const tenant = context.tenant && (await catalogueOf(context.tenant));
    answer = !tenant ? say('This workspace is not connected to a tenant.')
      : tenant.status !== 'active' ? say('This tenant is suspended.')
      : verb === 'run' ? await run(tenant, command, rest, context.sentAt)
      : !(await countOnly(tenant, command)) ? tooMany()
      : verb === 'help' ? help(tenant, command)
      : say(`I don't know ${code(verb)}. Try ${code(`${command.command} help`)}.`);
  } catch (error) {
    console.error(JSON.stringify({ level: 'Error', event: 'command_failed', verb, request_id: context.requestId, error: error.stack }));
    answer = say('Something of ours did not answer. Nothing was started. Try again in a moment.');
  }
  await ack(answer);
  console.log(JSON.stringify({
    time: new Date(), level: 'Information', event: 'command_answered', verb, tenant: context.tenant, user: command.user_id, request_id: context.requestId,
    ms: Math.round(performance.now() - began),
  }));
});

const answer = await receiver.start();

export async function handler(event, lambda) {
  const origin = event.headers['x-origin-verify'];
  if (!origin || !timingSafeEqual(sha256(origin), originHash)) return { statusCode: 403, body: '' };
  if (event.body?.length > 87384) return { statusCode: 413, body: '' }; // base64 of 64 KiB
  return answer(event, lambda);
}

/** A tenant with what may be run, in one query. */
async function catalogueOf(id) {
  const { Items } = await dynamo.send(new QueryCommand({
    TableName: env.TENANTS_TABLE,
    KeyConditionExpression: 'pk = :tenant',
    ExpressionAttributeValues: { ':tenant': { S: id } },
  }));
  const profile = Items.find((item) => item.sk.S === 'PROFILE');
  if (!profile) return undefined;
  const groups = Items.find((item) => item.sk.S === 'GROUPS') ?? {};
  return {
    id,
    status: profile.status.S,
    workflows: Items.filter((item) => item.sk.S.startsWith('WORKFLOW#')).map((item) => JSON.parse(item.definition.S)),
    membersOf: (group) => groups[`group:${group}`]?.L.map((user) => user.S) ?? [],
  };
}

function mayRun(tenant, workflow, command) {
  const names = [...workflow.allowed_users, ...workflow.allowed_groups.flatMap(tenant.membersOf)];
  const isAnyone = workflow.allowed_users.length + workflow.allowed_groups.length === 0;
  return workflow.enabled && (isAnyone || names.includes(command.user_id) || names.includes(`${command.team_id}/${command.user_id}`))
    && (workflow.allowed_channels.length === 0 || workflow.allowed_channels.includes(command.channel_id));
}

function help(tenant, command) {
  const name = command.command;
  const names = tenant.workflows.filter((workflow) => mayRun(tenant, workflow, command)).map((workflow) => workflow.name).sort();
  if (names.length === 0) return say('*What you can do here*', section('There is no workflow that you may run in this channel.'));
  return say(
    '*What you can do here*',
    section(
      `${code(`${name} run workflow name=value`)} starts one of: ${names.slice(0, 20).map(code).join(', ')}\n`
      + `How that is written, and what else it takes: ${code(`${name} help run`)}`,
    ),
    section([
      `${code(`${name} workflows`)} what there is to run, and with what`,
      `${code(`${name} status last`)} how an execution stands: the last one of yours, or one by its first digits`,
      `${code(`${name} why last`)} what came of it, what to do about it, and how it went step by step`,
      `${code(`${name} list [n]`)} the latest executions`,
      `${code(`${name} usage`)} quota, compute time and the engine's health`,
      `${code(`${name} again last`)} runs it again, with the same inputs`,
      `${code(`${name} cancel last`)} stops it`,
      `${code(`${name} schedule`)} what runs at planned times; ${code(`${name} schedule workflow "0 8 * * 1-5" in Europe/Berlin`)} makes one`,
    ].join('\n')),
    actions(names.slice(0, 10).map((one) => button('run', `Run ${one}`, `${one} ${name}`))),
  );
}

async function run(tenant, command, typed, sentAt) {
  const [, name, rest] = /^(\S*)\s*([^]*)$/.exec(typed);
  const workflow = tenant.workflows.find((one) => one.name === name);
  const fault = !workflow || !mayRun(tenant, workflow, command) ? `There is no workflow ${code(name)} that you may run here.` : undefined;
  const inputs = fault ? {} : inputsOf(rest);
  const wrong = fault ?? (inputs ? faultOf(workflow, inputs) : `I can't read the inputs. They are written name=value.`);
  if (wrong) return (await countOnly(tenant, command)) ? say(`:no_entry: ${wrong} Nothing was started.`) : tooMany();

  // The same request again is the same execution.
  const execution = `exec_${sha256(`${command.team_id}|${command.trigger_id}`).toString('hex', 0, 16)}`;
  const now = Date.now();
  const order = {
    schema: 'execution-request.v1', execution_id: execution, tenant_id: tenant.id, workflow: name, inputs,
    requested_by: { source: 'slack', team_id: command.team_id, user_id: command.user_id, channel_id: command.channel_id },
    public: false, requested_at: new Date(now).toISOString(),
  };
  if (!(await countAndNote(tenant, command, order, Math.min(now, sentAt)))) return tooMany();
  await sqs.send(new SendMessageCommand({
    QueueUrl: env.EXECUTION_REQUESTS_QUEUE_URL, MessageBody: JSON.stringify(order), MessageGroupId: execution, MessageDeduplicationId: execution,
  }));

  const [short, given] = [execution.slice(5, 13), Object.entries(inputs).map(([key, value]) => `${key}=${value}`).join(' ')];
  return say(
    `:arrow_forward: Working on *${name}*${given && ` with ${code(given)}`}. The result comes here.`,
    { type: 'context', elements: [mrkdwn(`${code(short)} · how it stands: ${code(`${command.command} status ${execution}`)}`)] },
    actions([
      button('status', 'Status', `${execution} ${command.command}`, `Status of ${name} ${short}`),
      {
        ...button('cancel', 'Cancel', `${execution} ${command.command}`, `Cancel ${name} ${short}`),
        confirm: {
          title: plain('Cancel this run?'), text: plain(`${name} (${short}) is stopped, or its result ignored.`),
          confirm: plain('Cancel the run'), deny: plain('Let it run'),
        },
      },
    ]),
  );
}

/** `name=value …`, or a JSON object in quotes or without. Undefined for anything else. */
function inputsOf(text) {
  const json = /^'?(\{[^]*\})'?$/.exec(text)?.[1];
  if (json) {
    try {
      return JSON.parse(json);
    } catch {
      return undefined;
    }
  }
  const pairs = [...text.matchAll(/(?:^|\s)([^\s=]+)=(?:'([^']*)'|"([^"]*)"|(\S*))/g)];
  const inputs = Object.fromEntries(pairs.map(([, key, single, double, bare]) => [key, single ?? double ?? bare]));
  return text === '' || pairs.length > 0 ? inputs : undefined;
}

const fits = {
  string: (value, { max_length: longest }) => typeof value === 'string' && (longest === null || value.length <= longest),
  integer: (value, of) => Number.isInteger(Number(value)) && isBetween(value, of),
  number: (value, of) => Number.isFinite(Number(value)) && isBetween(value, of),
  boolean: (value) => typeof value === 'boolean' || /^(yes|no|true|false)$/i.test(value),
  enum: (value, { values }) => values.includes(value),
};
const isBetween = (value, { minimum, maximum }) => (minimum === null || value >= minimum) && (maximum === null || value <= maximum);

function faultOf(workflow, inputs) {
  const stranger = Object.keys(inputs).find((name) => !workflow.parameters.some((parameter) => parameter.name === name));
  if (stranger) return `${workflow.name} takes no ${escaped(stranger)}.`;
  const wrong = workflow.parameters.find((parameter) => parameter.name in inputs
    ? !fits[parameter.type](inputs[parameter.name], parameter)
    : parameter.required && parameter.default === null);
  return wrong && `${wrong.name} must be a ${wrong.type}.`;
}

/** One more of this minute, for the user and for the tenant. */
const count = (tenant, { user_id: user }) => ({
  TableName: env.RATE_LIMITS_TABLE,
  Key: { pk: { S: `${tenant.id}#${Math.floor(Date.now() / 60_000)}` } },
  UpdateExpression: 'SET expires_at = :end ADD #total :one, #user :one',
  ConditionExpression: '(attribute_not_exists(#total) OR #total < :tenant_limit) AND (attribute_not_exists(#user) OR #user < :user_limit)',
  ExpressionAttributeNames: { '#total': 'total', '#user': `u_${user}` },
  ExpressionAttributeValues: {
    ':one': { N: '1' }, ':tenant_limit': { N: limits.tenant }, ':user_limit': { N: limits.user }, ':end': { N: `${Math.ceil(Date.now() / 1000) + 600}` },
  },
});

async function countOnly(tenant, command) {
  try {
    await dynamo.send(new UpdateItemCommand(count(tenant, command)));
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}

/** Counts, and notes where the answer goes: both or neither. A repeat is known by its note and not counted again. */
async function countAndNote(tenant, command, order, from) {
  const note = {
    pk: { S: order.execution_id }, sk: { S: 'REPLY' }, tenant_id: { S: tenant.id }, uses: { N: '0' }, requested_at: { S: order.requested_at },
    expires_at: { N: `${Math.ceil(from / 1000) + 1800}` },
    response_url: { B: seal(command.response_url, `response_url|${order.execution_id}`) },
    order: { S: JSON.stringify({ ...order, inputs: {} }) }, due: { S: 'requests' }, due_at: { N: `${Math.ceil(Date.parse(order.requested_at) / 1000) + 600}` },
  };
  try {
    await dynamo.send(new TransactWriteItemsCommand({
      TransactItems: [
        { Update: count(tenant, command) },
        { Put: { TableName: env.EXECUTIONS_TABLE, Item: note, ConditionExpression: 'attribute_not_exists(pk)' } },
      ],
    }));
    return true;
  } catch (error) {
    if (!(error instanceof TransactionCanceledException) || error.CancellationReasons.some((reason) => reason.Code === 'TransactionConflict')) throw error;
    return error.CancellationReasons[1].Code === 'ConditionalCheckFailed';
  }
}

function seal(text, purpose) {
  const nonce = randomBytes(12);
  const aes = createCipheriv('aes-256-gcm', replyKey, nonce).setAAD(Buffer.from(purpose));
  const sealed = Buffer.concat([aes.update(text, 'utf8'), aes.final()]);
  return Buffer.concat([nonce, aes.getAuthTag(), sealed]);
}

function say(text, ...more) {
  const blocks = [section(text), ...more];
  const words = blocks.flatMap((block) => [block.text, ...(block.elements ?? [])]).filter((one) => one?.type === 'mrkdwn').map((one) => one.text);
  return { response_type: 'ephemeral', text: words.join('\n'), blocks };
}

const tooMany = () => say(`That is too much at once. Try again in ${60 - (Math.floor(Date.now() / 1000) % 60)} s.`);
const escaped = (text) => text.replace(/[&<>]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[sign]);
const unescaped = (text = '') => text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
const code = (text) => `\`${escaped(text).replaceAll('`', "'")}\``;
const mrkdwn = (text) => ({ type: 'mrkdwn', text, verbatim: true });
const plain = (text) => ({ type: 'plain_text', text });
const section = (text) => ({ type: 'section', text: mrkdwn(text) });
const actions = (elements) => ({ type: 'actions', elements });
const button = (verb, text, value, label = text) => ({ type: 'button', action_id: verb, text: plain(text), value, accessibility_label: label });
