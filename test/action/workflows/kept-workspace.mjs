// Loaded into each action that act starts: the workspace by its own path, not by that of this job alone.
import { realpathSync } from 'node:fs';

const { GITHUB_WORKSPACE: workspace } = process.env;
if (workspace?.endsWith('/hostexecutor')) {
  process.env.ACT_WORKSPACE = workspace;
  process.env.GITHUB_WORKSPACE = realpathSync(workspace);
}
