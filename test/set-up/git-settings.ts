/** Saves Git of all tests two processes after each commit (maintenance) and the copy of sample hooks into each repository. */
export default function setUp(): void {
  const count = Number(process.env['GIT_CONFIG_COUNT'] ?? 0);
  Object.assign(process.env, {
    GIT_CONFIG_COUNT: String(count + 1),
    [`GIT_CONFIG_KEY_${count}`]: 'maintenance.auto',
    [`GIT_CONFIG_VALUE_${count}`]: 'false',
    GIT_TEMPLATE_DIR: '',
  });
}
