import { styleText } from 'node:util';
import { APP_NAMES, type AppName } from './apps/app-fleet';

const WIDTH = Math.max(...APP_NAMES.map((name) => name.length));
const COLOURS: Readonly<Record<AppName, Parameters<typeof styleText>[0]>> = {
  'gift-api': 'magenta',
  ranking: 'yellow',
  'revenue-share': 'green',
  badges: 'cyan',
  'room-gateway': 'blue',
  'callback-service': 'gray',
};

/** Everything that the demo tells a person. The apps' own lines go to stderr, so that a check's table and its last line stay apart. */
export class DemoPrinter {
  /** `coloured`: for a terminal. */
  constructor(private readonly coloured: boolean = process.stdout.isTTY && !process.env['NO_COLOR']) {}

  line(text: string): void {
    console.log(text);
  }

  error(text: string): void {
    console.error(this.coloured ? styleText('red', text) : text);
  }

  appLine(app: AppName, text: string): void {
    const name = app.padEnd(WIDTH);
    console.error(`${this.coloured ? styleText(COLOURS[app], name) : name} │ ${text}`);
  }
}
