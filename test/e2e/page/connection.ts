import type { WebSocketRoute } from 'playwright-core';
import { expect, it, onTestFinished, vi } from 'vitest';
import { JwtTokenIssuer } from '../../../src/adapters/jwt/token-issuer.ts';
import type { ChatPage } from '../../support/chat-page.ts';
import { png } from '../../support/png.ts';
import { friend } from './friend.ts';
import { ADMIN_TOKEN, type PageStage, SECRET } from './stage.ts';

/** The page renews a token after 80 % of its life. */
const TOKEN_SECONDS = 2;

/** Refuses the first SUBSCRIBE to a destination as a server does that cannot ask its directory. */
async function refuseOnce(chat: ChatPage, destination: string): Promise<{ readonly refused: Promise<void> }> {
  let reached = () => {};
  const refused = new Promise<void>((resolve) => {
    reached = resolve;
  });
  let isDue = true;
  await chat.page.routeWebSocket(/\/my-chat\/websocket$/, (socket: WebSocketRoute) => {
    const server = socket.connectToServer();
    socket.onMessage((message) => {
      const text = String(message);
      if (!isDue || !text.startsWith('SUBSCRIBE') || !text.includes(destination)) return server.send(message);
      isDue = false;
      const receipt = /\nreceipt:(\S+)/.exec(text)?.[1];
      const subscription = /\nid:(\S+)/.exec(text)?.[1];
      const body = JSON.stringify({ code: 2503, message: 'try again', 'receipt-id': receipt, subscription });
      const errors = 'destination:/user/queue/errors\nsubscription:/user/queue/errors\nmessage-id:x\n';
      socket.send(`MESSAGE\n${errors}content-type:application/json\n\n${body}\0`);
      reached();
    });
  });
  return { refused };
}

/** Defects D1, D10, D11, D13, D19, D23, D24, D25 and D29. */
export function connectionSuite(stage: PageStage): void {
  it('hears messages again after the subscription of a room was refused for a moment', async () => {
    let refusal = { refused: Promise.resolve() };
    const ada = await stage.open('#/1/r-5', {
      before: async (chat) => {
        refusal = await refuseOnce(chat, '/topic/direct/5');
      },
    });
    await refusal.refused;
    await friend(stage.server, 2, 'Grace').room(5).send('after the refusal');
    await ada.said('after the refusal').waitFor();
    await ada.send('and mine');
    await ada.said('and mine').waitFor();
    expect(await ada.pending().count()).toBe(0);
  });

  it('shows that it is not connected, with a way to try at once, while the server is frozen', async () => {
    const ada = await stage.open('#/1/r-5', { before: (chat) => chat.page.clock.install() });
    await stage.server.freeze();
    try {
      await ada.page.clock.fastForward(90_000);
      await ada.page.getByRole('button', { name: 'Try now' }).waitFor();
    } finally {
      await stage.server.thaw();
    }
    await ada.page.clock.resume();
    await ada.online();
  });

  it('shows a page and not a blank one while the server does not answer at the start', async () => {
    const ada = await stage.open('#/1/r-5', {
      isOnline: false,
      before: (chat) => chat.page.route(/\/demo\/(token|world)$/, () => {}),
    });
    await ada.page
      .getByText(/Connecting|does not answer/)
      .first()
      .waitFor();
  });

  it('sends a reply of 8,000 characters that need six bytes each, and the messages after it', async () => {
    const ada = await stage.open('#/1/c-12');
    const grace = friend(stage.server, 2, 'Grace').channel(1, 12);
    const long = '\u0001'.repeat(7_990);
    await grace.send(`parent ${long}`);
    await ada.said('parent').waitFor();
    await ada.act('parent', 'Reply');
    await ada.send(`reply ${long}`);
    await ada.send('after the long one');
    await ada.said('after the long one').waitFor();
    await ada.online();
  });

  it('shows the other messages of a room when one has a time that cannot be read', async () => {
    const grace = friend(stage.server, 2, 'Grace').room(5);
    for (const text of ['first of three', 'second of three', 'third of three']) await grace.send(text);
    const ada = await stage.open('#/1/r-5', {
      before: (chat) =>
        chat.page.route(/\/chat-server\/direct\?/, async (route) => {
          const answer = await route.fetch();
          const body = await answer.json();
          for (const entry of body.result) if (entry.message === 'second of three') entry.time = 'not a time';
          await route.fulfill({ response: answer, json: body });
        }),
    });
    await ada.said('first of three').waitFor();
    await ada.said('third of three').waitFor();
  });

  it.each(['#/3/c-12', '#/3/r-999', '#/3/nonsense'])('says why nothing is shown at the address %s', async (path) => {
    const linus = await stage.open(path);
    await linus.page.getByText('You cannot see this place.').waitFor();
  });

  it('does not call members offline while the page itself is not connected', async () => {
    const { chat: ada, line } = await stage.withLine('#/1/r-5');
    friend(stage.server, 2, 'Grace');
    const members = ada.members();
    await members.getByRole('img', { name: 'online', exact: true }).nth(1).waitFor();
    await line.cut();
    await ada.disconnected();
    expect(await members.getByText(/0 of 2/).count()).toBe(0);
    expect(await members.getByRole('img', { name: 'offline' }).count()).toBe(0);
  });

  it('says at once that it is not connected when the browser goes offline', async () => {
    const ada = await stage.open('#/1/r-5');
    await ada.page.context().setOffline(true);
    await ada.disconnected();
    await ada.page.context().setOffline(false);
    await ada.online();
  });

  it('shows a user why a message waits in slow mode, and why a ban keeps them out', async () => {
    const order = (method: string, path: string, body?: object) =>
      fetch(`${stage.server.url}/chat-server/service/${path}`, {
        method,
        headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
        body: body === undefined ? null : JSON.stringify(body),
      });
    const margaret = await stage.open('#/4/r-7');
    await order('PUT', 'places/r-7/slow-mode', { seconds: 600 });
    onTestFinished(() => void order('PUT', 'places/r-7/slow-mode', { seconds: 0 }));
    await margaret.send('the first one');
    await margaret.send('too soon');
    await margaret.page.getByText('Sending… r-7 is in slow mode').waitFor();

    await order('PUT', 'bans/4', { until: null, reason: 'spam' });
    await margaret.page.getByText('You cannot connect: you are banned').waitFor();
    await order('DELETE', 'bans/4');
    await margaret.page.getByRole('button', { name: 'Try now' }).click();
    await margaret.online();
  });

  it('asks for everybody who is online with a few calls, however many places there are', async () => {
    const calls: string[] = [];
    const ada = await stage.open('#/1/r-5', {
      before: async (chat) => {
        chat.page.on('request', (request) => {
          if (/chat-server\/(online|unread)/.test(request.url())) calls.push(request.url());
        });
      },
    });
    await ada.members().getByRole('img', { name: 'online', exact: true }).first().waitFor();
    await ada.page.waitForLoadState('networkidle');
    expect(calls.length).toBeLessThanOrEqual(6);
  });

  it('renews its token before it ends, without a break that the user sees', async () => {
    const issuer = new JwtTokenIssuer({ secrets: [SECRET], encoding: 'utf8' });
    let asked = 0;
    const ada = await stage.open('#/1/r-5', {
      before: (chat) =>
        chat.page.route(/\/demo\/token$/, (route) => {
          asked += 1;
          return route.fulfill({ json: { token: issuer.issue(1, 'Ada', TOKEN_SECONDS) } });
        }),
    });
    let breaks = 0;
    ada.page.on('websocket', () => {
      breaks += 1;
    });
    await vi.waitFor(() => expect(asked).toBeGreaterThan(2), { timeout: 10_000 });
    await ada.send('with the third token');
    await ada.said('with the third token').waitFor();
    expect(breaks).toBe(0);
  });

  it('asks for the link of a picture again that cannot be loaded any more', async () => {
    const grace = friend(stage.server, 2, 'Grace').room(5);
    const picture = new File([png(64, 48)], 'linked.png', { type: 'image/png' });
    await grace.share(picture, { width: 64, height: 48 });
    let refused = 0;
    const ada = await stage.open('#/1/r-5', {
      before: (chat) =>
        chat.page.route(/\/chat-server\/files\//, (route) => {
          refused += 1;
          return refused === 1 ? route.fulfill({ status: 403 }) : route.continue();
        }),
    });
    await ada.until('[...document.images].some((image) => image.naturalWidth === 64)');
    expect(refused).toBeGreaterThan(1);
  });

  it('stays in voice while another place is opened', async () => {
    const ada = await stage.open('#/1/c-11');
    const grace = friend(stage.server, 2, 'Grace').voice(1);
    const inVoice = () => JSON.stringify([...grace.getSnapshot()]);
    const stop = grace.subscribe(() => {});
    onTestFinished(stop);
    const before = inVoice();
    await ada.page.getByRole('button', { name: 'Join voice in general' }).click();
    await vi.waitFor(() => expect(inVoice()).not.toBe(before), { timeout: 5_000 });
    const during = inVoice();
    await ada.place('r-5').click();
    await ada.send('spoken elsewhere');
    await ada.said('spoken elsewhere').waitFor();
    expect(inVoice()).toBe(during);
  });
}
