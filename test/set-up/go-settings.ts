/** Programs in Go (the engine, act) collect garbage less often, which saves a sixth of a short run's processor time. */
export default function setUp(): void {
  process.env['GOGC'] ??= '400';
}
