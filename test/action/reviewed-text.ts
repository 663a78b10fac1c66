import { digestProgram } from '../../engine/digest-program.ts';
import { renderReviewedPlans } from '../../review/reviewed-plans.ts';
import { makeEndpoint, makeReport, rolling } from '../review/reports.ts';
import { makeOid } from './github/fake/branches.ts';

type Files = Readonly<Record<string, string>>;

export interface ReviewedText {
  readonly endpoints: readonly string[];
  /** What was reviewed; the endpoints' own files and the environments of it count. */
  readonly files: Files;
  /** Default: the program of these sources. */
  readonly program?: string;
  readonly version?: string;
  /** Default: `local`. */
  readonly environment?: string;
}

/** The text of a check run of a review, as Davit writes it. */
export async function makeReviewedText(reviewed: ReviewedText): Promise<string> {
  const { endpoints, files, program, version = '0.9.0', environment = 'local' } = reviewed;
  const fingerprint = { digest: 'e'.repeat(64), parts: { lock: 'f'.repeat(16) } };
  const paths = [
    ...endpoints.flatMap((name) => [`endpoints/${name}.yaml`, `endpoints/${name}.lock`]),
    `environments/${environment}.yaml`,
  ];
  return renderReviewedPlans(
    makeReport(
      endpoints.map((name) => makeEndpoint(name, { previews: [{ ...rolling(name, environment), fingerprint }] })),
      {
        program: {
          digest: program ?? (await digestProgram()),
          version,
          commit: null,
          environments: 'base',
          files: Object.fromEntries(
            paths.flatMap((path) => (path in files ? [[path, makeOid(files[path] ?? '')]] : [])),
          ),
        },
      },
    ),
  );
}
