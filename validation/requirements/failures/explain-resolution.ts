import { normalizePackageName } from '../../../python/normalize-package-name.ts';
import { quoteShell } from '../../../schemas/values/quote-shell.ts';
import { type Chain, type CompileRequirements, findChain, listDependencies, parseName } from './find-chain.ts';
import { findMeantPackage } from '../pip-names.ts';
import type { ResolutionRequest } from '../resolution-request.ts';

/** Why requirements cannot be satisfied, and how to fix them. */
export interface ResolutionExplanation {
  /** Text that follows "Cannot install the requirements of iris 2: ". */
  readonly why: string;
  readonly hint?: string | undefined;
  /** A requirement to add that fixes the problem. */
  readonly add?: string | undefined;
  /** A requirement to remove. */
  readonly remove?: string | undefined;
  /** A package without a wheel that Davit could build. */
  readonly build?: string | undefined;
  /** Name of the requirement that causes the problem. */
  readonly about?: string | undefined;
}

/**
 * Converts uv's message to an explanation. `compile` runs uv with wheels only, because source distributions run code.
 */
export async function explainResolution(
  request: ResolutionRequest,
  message: string,
  compile: CompileRequirements,
): Promise<ResolutionExplanation> {
  return (
    (await explainMissingVersion(request, message, compile)) ??
    (await explainPythonBound(request, message, compile)) ??
    explainDuplicate(message) ??
    explainMissingSource(request, message) ??
    (await explainMissingWheel(request, message, compile)) ??
    explainConflict(request, message) ??
    explainOther(request, message)
  );
}

/**
 * Explains a nonexistent version or package. uv can blame another requirement, so this checks every pin that uv names.
 */
async function explainMissingVersion(
  request: ResolutionRequest,
  message: string,
  compile: CompileRequirements,
): Promise<ResolutionExplanation | undefined> {
  const text = collapseWhitespace(message);
  const unknown = /(?<![A-Za-z0-9._-])([A-Za-z0-9._-]+) was not found in the (?:package registry|cache)/.exec(
    text,
  )?.[1];
  if (unknown !== undefined) return explainUnknownPackage(request, normalizePackageName(unknown), { message, compile });
  for (const { name, pin } of request.requirements) {
    if (pin === undefined || !text.includes(`${name}==${pin}`)) continue;
    const lone = await compile([`${name}==${pin}`], ['--no-deps']);
    if (lone.code === 0 || !/there is no version of/.test(collapseWhitespace(lone.stderr))) continue;
    const nearest = await findNearestVersion(compile, { name, pin, saved: request.saved?.get(name) });
    const expected = nearest === undefined ? '' : `, expected one such as ${nearest}`;
    const add = nearest === undefined ? undefined : `${name}==${nearest}`;
    const build = pin.split('+')[1];
    const hint =
      build === undefined
        ? undefined
        : `The build "+${build}" is in an index of its own, such as https://download.pytorch.org/whl/${build}: set UV_INDEX to it where Davit runs, or take the plain version`;
    return { why: `there is no version ${pin} of ${name}${expected}`, hint, add, about: name };
  }
  return undefined;
}

/** A misspelt package, or one of a private index. An indirect requirement has no line, so the one that brings it is named. */
async function explainUnknownPackage(
  { requirements }: ResolutionRequest,
  unknown: string,
  context: { readonly message: string; readonly compile: CompileRequirements },
): Promise<ResolutionExplanation> {
  const isOwn = requirements.some((r) => r.name === unknown);
  const chain = isOwn ? undefined : await findChain(requirements, unknown, context);
  const about = chain?.requirement.name ?? unknown;
  const meant = findMeantPackage(unknown);
  return {
    why: `${renderSteps(chain)}the index has no package named "${unknown}"`,
    hint: `${renderForbidden(context.message)}Check its spelling. ${PRIVATE_HINT}. If the model runs without ${about}, leave it out`,
    about,
    ...(isOwn && meant !== undefined && { add: meant }),
    ...((isOwn || chain) && { remove: about }),
  };
}

/** Such an index may have the package, or answers so for each that it does not have. */
function renderForbidden(message: string): string {
  const [, address = ''] = /\bAn index \((\S+)\) returned a 403/.exec(collapseWhitespace(message)) ?? [];
  return URL.canParse(address)
    ? `The index ${new URL(address).host} answers 403 Forbidden: check its credentials. `
    : '';
}

const PRIVATE_HINT =
  'If it is a private package, set UV_INDEX and its credentials where Davit runs (docs/models.md, "Private packages"), or log its wheel in code_paths';

/** `num2words==0.5.10 needs docopt>=0.6.2, and ` */
function renderSteps(chain: Chain | undefined): string {
  if (!chain) return '';
  const steps = chain.steps.map(({ parent, child }) => `${parent} needs ${child}`);
  return steps.length === 0 ? `${chain.requirement.text} needs it, and ` : `${steps.join(', ')}, and `;
}

/** Tries the version that saved the model, `2.1.2+cu118` without its build, the nearest older version, then the newest. */
async function findNearestVersion(
  compile: CompileRequirements,
  { name, pin, saved }: { readonly name: string; readonly pin: string; readonly saved: string | undefined },
): Promise<string | undefined> {
  const [version = pin, build] = pin.split('+');
  const exact = [saved, build === undefined ? undefined : version].filter((v) => v !== undefined && v !== pin);
  const candidates = [...exact.map((v) => `${name}==${v ?? ''}`), `${name}<${version}`, name];
  for (const candidate of candidates) {
    const found = await findVersion(compile, candidate);
    if (found !== undefined) return found;
  }
  return undefined;
}

async function findVersion(compile: CompileRequirements, requirement: string): Promise<string | undefined> {
  const run = await compile([requirement], ['--no-deps', '--upgrade']);
  return run.code === 0 ? /==(\S+)/.exec(run.stdout)?.[1] : undefined;
}

async function explainPythonBound(
  request: ResolutionRequest,
  message: string,
  compile: CompileRequirements,
): Promise<ResolutionExplanation | undefined> {
  const { python, requirements } = request;
  const text = collapseWhitespace(message);
  const bound = /does not satisfy Python(\S+?),? and /.exec(text);
  const after = bound ? text.slice(bound.index + bound[0].length) : '';
  const needs = bound?.[1];
  const what =
    /^(\S+) depends on Python/.exec(after)?.[1] ?? /we can conclude that (\S+) cannot be used/.exec(after)?.[1];
  if (needs === undefined || what === undefined) return undefined;
  const about = parseName(what);
  const why = `${what} needs Python ${needs}, and the model was saved with Python ${python}`;
  const isOwn = requirements.some((r) => r.name === about && r.source === undefined);
  const version = isOwn ? await findCompatibleVersion(request, about, compile) : undefined;
  if (version !== undefined)
    return { why: `${why}, expected one such as ${version}`, add: `${about}==${version}`, about };
  return { why, hint: 'Require versions for that Python, or train and log the model with a newer Python', about };
}

function explainDuplicate(message: string): ResolutionExplanation | undefined {
  const [, a, b] = /Because you require (\S+) and (\S+?), we can conclude/.exec(collapseWhitespace(message)) ?? [];
  if (a === undefined || b === undefined || parseName(a) !== parseName(b)) return undefined;
  return { why: `both ${a} and ${b} are required`, hint: 'Keep one of the two', about: parseName(b) };
}

function explainConflict(request: ResolutionRequest, message: string): ResolutionExplanation | undefined {
  const facts = listDependencies(message);
  const findRequired = (name: string) => request.requirements.find((r) => r.name === name);
  const fact = facts.find(({ child }) => findRequired(parseName(child))) ?? facts[0];
  if (!fact) return undefined;
  const { parent, child } = fact;
  const mine = findRequired(parseName(child));
  const subject = findRequired(parseName(parent))?.text ?? parent;
  if (mine)
    return {
      why: `${subject} needs ${child}, and ${mine.text} is required`,
      hint: 'Change one of the two',
      about: mine.name,
    };
  const second = facts.find((f) => parseName(f.child) === parseName(child) && f.parent !== parent);
  const tail = second ? `, and ${second.parent} needs ${second.child}` : '';
  return { why: `${subject} needs ${child}${tail}`, hint: 'Change one of the versions', about: parseName(parent) };
}

const NO_WHEEL =
  /(?:Because|[Aa]nd because|and) (?:only |all versions of )?([A-Za-z0-9]\S*) ha(?:s|ve) no (?:usable wheels|wheels with a matching)/;

/** Explains a version without a wheel for this Python: none was built, or the version is too old or too new. */
async function explainMissingWheel(
  request: ResolutionRequest,
  message: string,
  compile: CompileRequirements,
): Promise<ResolutionExplanation | undefined> {
  const { python, platform, requirements } = request;
  const what = NO_WHEEL.exec(collapseWhitespace(message))?.[1];
  if (what === undefined) return undefined;
  const about = parseName(what);
  const machine = platform.startsWith('x86_64-manylinux') ? 'Linux' : platform;
  const why = `${what} has no wheel for Python ${python} on ${machine}`;
  const mine = requirements.find((r) => r.name === about && r.source === undefined);
  const version = mine && (await findCompatibleVersion(request, about, compile));
  const isSaved = version !== undefined && version === request.saved?.get(about);
  const build = !isSaved && (await hasSource(mine?.text ?? about, about, compile)) ? about : undefined;
  const wanted = isSaved ? `${version}, which saved the model` : `one such as ${version ?? ''}`;
  if (version !== undefined) return { why: `${why}, expected ${wanted}`, add: `${about}==${version}`, build, about };
  const chain = mine ? undefined : await findChain(requirements, about, { message, compile });
  const direct = mine ?? chain?.requirement;
  const steps = renderSteps(chain);
  const other = await findVersion(compile, about);
  if (other !== undefined)
    return (
      explainConflict(request, message) ?? {
        build,
        why: `${steps}${why}`,
        hint: `Other versions, such as ${other}, have one, but conflict with the other requirements: change those, or log the model again with that version`,
        about: direct?.name ?? about,
      }
    );
  const meant = mine && findMeantPackage(about);
  if (meant !== undefined)
    return { why: `${why}, expected ${meant}, the package that has its content`, add: meant, remove: about, about };
  const newer = chain && (await findCompatibleVersion(request, chain.requirement.name, compile));
  const elsewhere = renderBuildHint(mine?.text ?? about, build);
  return {
    why: `${steps}no version of ${about} has a wheel for Python ${python} on ${machine}`,
    hint:
      newer !== undefined
        ? `That version does not need ${about}. Otherwise: ${elsewhere}`
        : direct
          ? `${elsewhere}. If predictions do not need ${direct.name}, leave it out`
          : elsewhere,
    build,
    ...(newer !== undefined && chain && { add: `${chain.requirement.name}==${newer}` }),
    ...(direct && newer === undefined && { remove: direct.name }),
    about: direct?.name ?? about,
  };
}

/** How to build a wheel elsewhere. `build`: what Davit could build, which is another way. */
function renderBuildHint(requirement: string, build: string | undefined): string {
  return `${build === undefined ? 'Build' : 'Or build'} the wheel where the model is trained: pip wheel --no-deps ${quoteShell(requirement)}. Log the model with that file in code_paths and the requirement code/FILE.whl, or add it to your index`;
}

/** A package that is to be built, although the index has only wheels of it. */
function explainMissingSource({ built = [] }: ResolutionRequest, message: string): ResolutionExplanation | undefined {
  const text = collapseWhitespace(message);
  const found = /(?<!\S)([A-Za-z0-9]\S*) ha(?:s|ve) no (?:usable )?source distribution/.exec(text)?.[1];
  const name = found === undefined ? undefined : parseName(found);
  if (name === undefined || !built.some((each) => each.name === name)) return undefined;
  return {
    why: `build_wheels names ${name}, but ${found ?? name} has wheels and no source distribution`,
    hint: `Remove ${name} from build_wheels`,
    about: name,
  };
}

/** Whether the index has a source distribution. uv does not read it, because that could run its code. */
async function hasSource(requirement: string, name: string, compile: CompileRequirements): Promise<boolean> {
  return (await compile([requirement], ['--no-deps', '--upgrade'], [name])).code === 0;
}

/** Finds a version that all other requirements allow: the one that saved the model, else the newest. */
async function findCompatibleVersion(
  { requirements, saved }: ResolutionRequest,
  name: string,
  compile: CompileRequirements,
): Promise<string | undefined> {
  const version = saved?.get(name);
  for (const wanted of version === undefined ? [name] : [`${name}==${version}`, name]) {
    const lines = requirements.filter((r) => r.source === undefined).map((r) => (r.name === name ? wanted : r.text));
    const run = await compile(lines, ['--upgrade']);
    const line = run.stdout.split('\n').find((l) => normalizePackageName(l.split('==')[0] ?? '') === name);
    if (run.code === 0) return line?.split('==')[1]?.split(/[\s;\\]/)[0];
  }
  return undefined;
}

function collapseWhitespace(message: string): string {
  return message.replace(/\s+/g, ' ');
}

/** Anything else that uv says, on the line of the requirement that it quotes. */
function explainOther({ requirements }: ResolutionRequest, message: string): ResolutionExplanation {
  const text = collapseWhitespace(message);
  const about = requirements.find((r) => text.includes(r.text)) ?? requirements.find((r) => text.includes(r.name));
  return {
    why: about ? `uv cannot resolve ${about.text}: ${shorten(message)}` : `uv cannot resolve them: ${shorten(message)}`,
    hint: about ? 'Change its version, or leave it out if predictions do not need it' : undefined,
    about: about?.name,
  };
}

/** uv's message in one line. */
export function shorten(message: string): string {
  const text = collapseWhitespace(message.split('\nhint:')[0] ?? '').replace(/^.*?cause: /, '');
  return text.length > 400 ? `${text.slice(0, 399)}…` : text.replace(/\.\s*$/, '');
}
