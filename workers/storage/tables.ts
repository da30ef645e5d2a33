type Sql = DurableObjectStorage["sql"];

/**
 * Creates the tables of one Durable Object, and brings older ones up to date: `steps[n]` makes version n + 1 of
 * version n. Steps that have run somewhere are never edited. Call it in the constructor.
 */
export function migrate(sql: Sql, steps: readonly string[]): void {
  sql.exec("CREATE TABLE IF NOT EXISTS shape (version INTEGER NOT NULL)");
  const row = sql.exec<{ version: number }>("SELECT version FROM shape").toArray()[0];
  const version = row?.version ?? 0;
  if (!row) sql.exec("INSERT INTO shape VALUES (0)");
  for (const step of steps.slice(version)) sql.exec(step);
  if (version < steps.length) sql.exec("UPDATE shape SET version = ?", steps.length);
}
