/** A test bed with the page: a gateway before the daemon of a bed, and a real browser. `end` stops both. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import type { TestBed } from './test-bed.js';

const root = new URL('../../', import.meta.url).pathname;

/** A browser that asks nobody but the page, in a container too. */
const browserArguments = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export class WebBed {
  /** What the browser complained of: errors of scripts, and what the content policy forbade. */
  readonly complaints: string[] = [];

  private constructor(
    readonly url: string,
    private readonly gateway: ChildProcess,
    private readonly browser: Browser,
  ) {}

  static async create(bed: TestBed, words: readonly string[] = []): Promise<WebBed> {
    const gateway = spawn(
      process.execPath,
      [
        `${root}dist/clients/web/gateway/main.js`,
        '--listen',
        '127.0.0.1:0',
        '--server',
        `unix:${bed.socket}`,
        ...words,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const url = await printedUrl(gateway);
    const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: browserArguments });
    return new WebBed(url, gateway, browser);
  }

  /** A page in a profile of its own, not logged in. */
  async open(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.browser.newContext({ viewport: { width: 1200, height: 900 }, ...options });
    const page = await context.newPage();
    page.on('pageerror', (error) => this.complaints.push(error.message));
    page.on('console', (message) => {
      // That a call was refused is what some tests are about.
      const isRefusal = /Failed to load resource/.test(message.text());
      if (message.type() === 'error' && !isRefusal) this.complaints.push(message.text());
    });
    return page;
  }

  /** A page that is logged in with a token. */
  async openAs(token: string, options: BrowserContextOptions = {}): Promise<Page> {
    const page = await this.open(options);
    await page.goto(`${this.url}#token=${encodeURIComponent(token)}`);
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    return page;
  }

  async end(): Promise<void> {
    await this.browser.close();
    if (this.gateway.exitCode !== null) return;
    const ended = once(this.gateway, 'exit');
    this.gateway.kill();
    await ended;
  }
}

async function printedUrl(gateway: ChildProcess): Promise<string> {
  let text = '';
  const output = gateway.stdout;
  if (!output) throw new Error('the gateway has no output');
  for await (const chunk of output) {
    text += String(chunk);
    const [url] = /https?:\S+/.exec(text) ?? [];
    if (url !== undefined) return url;
  }
  throw new Error(`busy-web ended: ${text}`);
}
