// Bolt's own receiver on loopback: it verifies signatures as an app of Slack's would, and says what came, one JSON object a line.
import bolt from '@slack/bolt';

const { App, HTTPReceiver, LogLevel } = bolt;
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

const receiver = new HTTPReceiver({
  signingSecret: process.argv[2],
  endpoints: ['/slack/commands', '/slack/interactions', '/slack/events'],
  logLevel: LogLevel.ERROR,
});
// Without a token of its own it asks nobody who it is.
const app = new App({ receiver, logLevel: LogLevel.ERROR, authorize: async () => ({ botToken: 'xoxb-1', botId: 'B1', botUserId: 'U1' }) });
app.command('/wf', async ({ ack, command }) => {
  say({ command: command.text, user: command.user_id, team: command.team_id });
  await ack({
    response_type: 'ephemeral',
    text: 'Bolt took it',
    blocks: [
      { type: 'section', text: { type: 'mrkdwn', text: 'Bolt took it' } },
      { type: 'actions', elements: [{ type: 'button', action_id: 'status', value: 'x', text: { type: 'plain_text', text: 'Status' } }] },
    ],
  });
});
app.action('status', async ({ ack, action, body }) => {
  say({ action: action.action_id, value: action.value, user: body.user.id });
  await ack();
});
app.view('run', async ({ ack, view }) => {
  say({ view: view.callback_id, city: view.state.values.city.value.value });
  await ack({ response_action: 'errors', errors: { city: 'No such city' } });
});
app.event('app_home_opened', async ({ event }) => say({ event: event.type, user: event.user }));
const server = await app.start({ port: 0, host: '127.0.0.1' });
say({ port: server.address().port });
