import { normalizeName } from '../python/normalize-name.ts';
import type { Ran } from '../system/run-process.ts';
import type { ResolutionRequest } from './resolve-requirements.ts';

/** Why requirements cannot be satisfied, in a sentence, and what would help. */
export interface Explanation {
  /** Goes on after "Cannot install the requirements of iris 2: ". */
  readonly why: string;
  readonly hint?: string | undefined;
  /** The requirement that would put it right. */
  readonly add?: string | undefined;
  /** Name of the requirement to blame. */
  readonly about?: string | undefined;
}

type Compile = (lines: readonly string[], more?: readonly string[]) => Promise<Ran>;

/** uv's message → a sentence. `compile` asks uv further: which versions there are, and what conflicts beside wheels. */
export async function explainResolution(
  request: ResolutionRequest,
  message: string,
  compile: Compile,
): Promise<Explanation> {
  return (
    (await explainMissing(request, message, compile)) ??
    explainPython(request, message) ??
    explainTwice(message) ??
    (await explainConflict(request, message, compile)) ??
    explainWheels(request, message) ?? { why: shorten(message) }
  );
}

/** A version or a package that does not exist. uv may blame another requirement, so every pin it names is looked up. */
async function explainMissing(
  request: ResolutionRequest,
  message: string,
  compile: Compile,
): Promise<Explanation | undefined> {
  const text = unwrap(message);
  const unknown = /([A-Za-z0-9._-]+) was not found in the (?:package registry|cache)/.exec(text)?.[1];
  if (unknown !== undefined)
    return {
      why: `the index has no package named "${unknown}"`,
      hint: 'Check how it is written',
      about: normalizeName(unknown),
    };
  for (const { name, pin } of request.requirements) {
    if (pin === undefined || !text.includes(`${name}==${pin}`)) continue;
    const lone = await compile([`${name}==${pin}`], ['--no-deps']);
    if (lone.code === 0 || !/there is no version of/.test(unwrap(lone.stderr))) continue;
    const nearest = await findNear(compile, name, pin);
    const expected = nearest === undefined ? '' : `, expected one such as ${nearest}`;
    const add = nearest === undefined ? undefined : `${name}==${nearest}`;
    return { why: `there is no version ${pin} of ${name}${expected}`, add, about: name };
  }
  return undefined;
}

/** `2.1.2+cu118` without its build, else the nearest one below, else the newest. */
async function findNear(compile: Compile, name: string, pin: string): Promise<string | undefined> {
  const [version = pin, build] = pin.split('+');
  const candidates = [...(build === undefined ? [] : [`${name}==${version}`]), `${name}<${version}`, name];
  for (const candidate of candidates) {
    const found = await findVersion(compile, candidate);
    if (found !== undefined) return found;
  }
  return undefined;
}

async function findVersion(compile: Compile, requirement: string): Promise<string | undefined> {
  const run = await compile([requirement], ['--no-deps', '--only-binary', ':all:', '--upgrade']);
  return run.code === 0 ? /==(\S+)/.exec(run.stdout)?.[1] : undefined;
}

function explainPython({ python }: ResolutionRequest, message: string): Explanation | undefined {
  const text = unwrap(message);
  const [, needs, what] =
    /does not satisfy Python(\S+?),? and (\S+) depends on Python/.exec(text) ??
    /does not satisfy Python(\S+?),? and .*?we can conclude that (\S+) cannot be used/.exec(text) ??
    [];
  if (needs === undefined || what === undefined) return undefined;
  return {
    why: `${what} needs Python ${needs}, and the model was saved with Python ${python}`,
    hint: 'Require versions for that Python, or train and log the model with a newer one',
    about: nameOf(what),
  };
}

function explainTwice(message: string): Explanation | undefined {
  const [, a, b] = /Because you require (\S+) and (\S+?), we can conclude/.exec(unwrap(message)) ?? [];
  if (a === undefined || b === undefined || nameOf(a) !== nameOf(b)) return undefined;
  return { why: `both ${a} and ${b} are required`, hint: 'Keep one of the two', about: nameOf(b) };
}

/** With wheels only, uv reports "no usable wheels" where two requirements contradict each other: it is asked again. */
async function explainConflict(
  request: ResolutionRequest,
  message: string,
  compile: Compile,
): Promise<Explanation | undefined> {
  const lines = request.requirements.filter((r) => r.source === undefined).map((r) => r.text);
  const wheels = /no usable wheels|no wheels with a matching/.test(unwrap(message));
  const again = wheels ? await compile(lines) : undefined;
  if (again?.code === 0) return undefined;
  const text = unwrap(again?.stderr ?? message);
  const facts = [
    ...text.matchAll(
      /(?:Because|And because|and) (?:all versions of )?(\S+) depends on (.+?)(?= and |, we can conclude)/g,
    ),
  ];
  if (facts.length === 0) return undefined;
  const [, who = '', needs = ''] =
    facts.find(([, , n = '']) => request.requirements.some((r) => r.name === nameOf(n))) ?? facts[0] ?? [];
  const mine = request.requirements.find((r) => r.name === nameOf(needs));
  const other = request.requirements.find((r) => r.name === nameOf(who));
  const wanted = cleanSpecifier(needs);
  const subject = other?.text ?? who;
  if (mine)
    return {
      why: `${subject} needs ${wanted}, and ${mine.text} is required`,
      hint: 'Change one of the two',
      about: mine.name,
    };
  const second = facts.find(([, w = '', n = '']) => nameOf(n) === nameOf(needs) && w !== who);
  const tail = second ? `, and ${second[1] ?? ''} needs ${cleanSpecifier(second[2] ?? '')}` : '';
  return { why: `${subject} needs ${wanted}${tail}`, hint: 'Change one of the versions', about: nameOf(who) };
}

function explainWheels({ python, platform }: ResolutionRequest, message: string): Explanation | undefined {
  const what = /Because (\S+) has no (?:usable wheels|wheels with a matching)/.exec(unwrap(message))?.[1];
  if (what === undefined) return undefined;
  const machine = platform.startsWith('x86_64-manylinux') ? 'Linux' : platform;
  return {
    why: `${what} has no wheel for Python ${python} on ${machine}`,
    hint: 'Choose a version that has one, or build a wheel and log the model with it in code_paths',
    about: nameOf(what),
  };
}

function nameOf(requirement: string): string {
  return normalizeName(/^[A-Za-z0-9._-]*[A-Za-z0-9]/.exec(requirement)?.[0] ?? requirement);
}

/** `numpy{python_full_version < '3.14'}>=2.0.2` → `numpy>=2.0.2` */
function cleanSpecifier(text: string): string {
  return text.replace(/\{[^}]*\}/g, '').replace(/,$/, '');
}

function unwrap(message: string): string {
  return message.replace(/\s+/g, ' ');
}

function shorten(message: string): string {
  const text = unwrap(message.split('\nhint:')[0] ?? '').replace(/^.*?cause: /, '');
  return text.length > 400 ? `${text.slice(0, 399)}…` : text.replace(/\.\s*$/, '');
}
