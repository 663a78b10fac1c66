import type { GitHub } from './connect.ts';

type Project = Pick<GitHub, 'project'>;

/** The hidden first line of the comment of a pull request. The project at the root has the short form. */
export function makeReportMarker({ project }: Project): string {
  return `<!-- davit:report v1${project === '' ? '' : ` ${renderFolder(project)}`} -->`;
}

/** The hidden first line of the issue about the drift of an environment. */
export function makeDriftMarker({ project }: Project, environment: string): string {
  return `<!-- davit:drift ${project === '' ? '' : `${renderFolder(project)} `}${environment} -->`;
}

/** The review's check run: `davit`, or `davit (services/fraud)`. A branch protection rule requires it by this name. */
export function makeReviewCheckName({ project }: Project): string {
  return project === '' ? 'davit' : `davit (${project.slice(0, -1)})`;
}

/** The check run of a deployment, whose name is never the review's, because a merged commit may be the reviewed one. */
export function makeDeploymentCheckName(github: Project, environment: string): string {
  return `${makeReviewCheckName(github)}: ${environment}`;
}

/** The task of an endpoint's deployment records: `davit:iris`, or `davit:services/fraud/iris`. */
export function makeDeploymentTask({ project }: Project, endpoint: string): string {
  return `davit:${project}${endpoint}`;
}

/** A folder without characters that could end a comment of HTML. */
function renderFolder(project: string): string {
  return project
    .slice(0, -1)
    .replaceAll(/[^\w./]/g, encodeURIComponent)
    .replaceAll('--', '%2D%2D');
}
