import { isPackageVersion } from '../../schemas/lock/locked-values.ts';

/** The variables of an environment marker, with the old names that pip still accepts. */
const MARKER_VARIABLES = new Set(
  `python_version python_full_version os_name sys_platform platform_release platform_system platform_version
  platform_machine platform_python_implementation implementation_name implementation_version extra extras
  dependency_groups os.name sys.platform platform.version platform.machine platform.python_implementation
  python_implementation`.split(/\s+/),
);
const OPERATORS = /^(?:===|~=|==|!=|<=|>=|<|>)/;
const WORDS = new Set(['and', 'or', 'in', 'not']);

/** Explains what is wrong with a specifier such as `>=2,<3`. Returns undefined if it is right. */
export function explainSpecifier(specifier: string): string | undefined {
  for (const clause of specifier.split(',').filter(Boolean)) {
    const operator = OPERATORS.exec(clause)?.[0] ?? '';
    const version = clause.slice(operator.length);
    if (operator === '===') continue;
    const isPrefix = (operator === '==' || operator === '!=') && version.endsWith('.*');
    if (!isPackageVersion(isPrefix ? version.slice(0, -2) : version)) return `"${version}" is not a version`;
    if (version.includes('+') && operator !== '==' && operator !== '!=')
      return `only == can ask for a build such as "+${version.split('+')[1] ?? ''}"`;
    if (operator === '~=' && !version.includes('.')) return `"${clause}" needs two numbers, such as ~=${version}.0`;
  }
  return undefined;
}

/** Explains what is wrong with a marker such as `python_version < "3.9"`. Returns undefined if nothing obvious is. */
export function explainMarker(marker: string): string | undefined {
  let open = 0;
  for (const [token] of marker.matchAll(/"[^"]*"|'[^']*'|[A-Za-z_][A-Za-z0-9_.]*|[<>=!~]+|\S/g)) {
    if (token === '(') open += 1;
    else if (token === ')') open -= 1;
    else if (/^[A-Za-z_]/.test(token) && !WORDS.has(token) && !MARKER_VARIABLES.has(token))
      return `its condition names "${token}", which pip does not know`;
    else if (token === '"' || token === "'") return 'its condition has a quotation mark without an end';
    else if (/^[^<>=!~"'A-Za-z_]$/.test(token)) return `its condition contains "${token}"`;
    if (open < 0) break;
  }
  return open === 0 ? undefined : 'its condition has a parenthesis without its counterpart';
}
