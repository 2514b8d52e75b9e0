/** A browser to look at pages with: Chromium without a window, driven over WebDriver (W3C) by chromedriver. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { locatePart } from '../../servers/parts.js';

export interface Emulation {
  width: number;
  height: number;
  scheme: 'light' | 'dark';
}

export class Browser {
  readonly #driver: ChildProcess;
  readonly #session: string;
  readonly #profile: string;

  private constructor(driver: ChildProcess, session: string, profile: string) {
    this.#driver = driver;
    this.#session = session;
    this.#profile = profile;
  }

  static async start(): Promise<Browser> {
    const profile = await mkdtemp(join(tmpdir(), 'turbotls-browser-'));
    const driver = spawn(locatePart('chromedriver'), ['--port=0'], { stdio: ['ignore', 'pipe', 'ignore'] });
    try {
      const server = `http://127.0.0.1:${await portOf(driver)}`;
      const { sessionId } = (await command('POST', `${server}/session`, capabilities(profile))) as {
        sessionId: string;
      };
      const browser = new Browser(driver, `${server}/session/${sessionId}`, profile);
      await browser.#leaveHome();
      return browser;
    } catch (error) {
      await end(driver, profile);
      throw error;
    }
  }

  async open(file: string, { width, height, scheme }: Emulation): Promise<void> {
    const metrics = { width, height, deviceScaleFactor: 1, mobile: false };
    await this.cdp('Emulation.setDeviceMetricsOverride', metrics);
    await this.cdp('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] });
    await this.#post('url', { url: pathToFileURL(file).href });
  }

  /** The source of a function without arguments, and what it returned. */
  async evaluate<T>(source: string): Promise<T> {
    return (await this.#post('execute/sync', { script: `return (${source})()`, args: [] })) as T;
  }

  /** A command of the DevTools protocol. */
  cdp(cmd: string, params: object = {}): Promise<unknown> {
    return this.#post('goog/cdp/execute', { cmd, params });
  }

  /** What pages said on their consoles, errors of loading included, since the last call. */
  async messages(): Promise<string[]> {
    const entries = (await this.#post('se/log', { type: 'browser' })) as { message: string }[];
    return entries.map(({ message }) => message);
  }

  /** What pages asked for since the last call. */
  async requests(): Promise<string[]> {
    const entries = (await this.#post('se/log', { type: 'performance' })) as { message: string }[];
    const events = entries.map(({ message }) => (JSON.parse(message) as { message: NetworkEvent }).message);
    return events.flatMap(({ method, params }) =>
      method === 'Network.requestWillBeSent' && params.request ? [params.request.url] : [],
    );
  }

  async close(): Promise<void> {
    await command('DELETE', this.#session).catch(() => {});
    await end(this.#driver, this.#profile);
  }

  /** What it shows of its own accord asks for much. */
  async #leaveHome(): Promise<void> {
    await this.#post('url', { url: 'about:blank' });
    await this.messages();
    await this.requests();
  }

  #post(path: string, body: object): Promise<unknown> {
    return command('POST', `${this.#session}/${path}`, body);
  }
}

interface NetworkEvent {
  method: string;
  params: { request?: { url: string } };
}

/** Chromium at home asks around: for updates, for pages that it may need. Here it shall not. */
function capabilities(profile: string): object {
  const args = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--disable-dev-shm-usage',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--hide-scrollbars',
    `--user-data-dir=${profile}`,
  ];
  return {
    capabilities: {
      alwaysMatch: {
        browserName: 'chrome',
        'goog:chromeOptions': { args, binary: locatePart('chromium') },
        'goog:loggingPrefs': { browser: 'ALL', performance: 'ALL' },
      },
    },
  };
}

async function portOf(driver: ChildProcess): Promise<string> {
  const { stdout } = driver;
  if (stdout === null) throw new Error('chromedriver has no standard output');
  for await (const line of createInterface(stdout)) {
    const port = /started successfully on port (\d+)/.exec(line)?.[1];
    if (port !== undefined) {
      stdout.resume();
      return port;
    }
  }
  throw new Error('chromedriver ended before it listened');
}

async function command(method: string, url: string, body?: object): Promise<unknown> {
  const response = await fetch(url, { method, ...(body && { body: JSON.stringify(body) }) });
  const { value } = (await response.json()) as { value: { error?: string; message?: string } | null };
  if (!response.ok) throw new Error(`${method} ${new URL(url).pathname}: ${value?.error}: ${value?.message}`);
  return value;
}

async function end(driver: ChildProcess, profile: string): Promise<void> {
  if (driver.exitCode === null && driver.signalCode === null) {
    const ended = once(driver, 'exit');
    driver.kill();
    await ended;
  }
  await rm(profile, { recursive: true, force: true, maxRetries: 5 });
}
