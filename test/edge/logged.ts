import { sink } from '../../edge/log.ts';

/** What the services of this process have written. All files of a worker share it. */
export const logged: string[] = [];
sink.write = (line) => logged.push(line);
