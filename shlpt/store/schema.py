"""The tables of the store as an ordered list of migrations. A released migration is never edited."""

APPLICATION = 0x5348_4C50  # "SHLP" in the header of our SQLite files

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE runs (
      id TEXT PRIMARY KEY, spec TEXT NOT NULL, name TEXT NOT NULL DEFAULT '',
      note TEXT NOT NULL DEFAULT '', created REAL NOT NULL, result TEXT
    );
    CREATE TABLE stages (
      id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, parent TEXT, task TEXT NOT NULL, method TEXT NOT NULL,
      plan TEXT NOT NULL, steps INTEGER NOT NULL, grp TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'queued', error TEXT,
      summary TEXT, record TEXT, seconds REAL, finished REAL
    );
    CREATE INDEX stages_by_group ON stages (grp);
    CREATE TABLE run_stages (
      run TEXT NOT NULL, alone INTEGER NOT NULL, position INTEGER NOT NULL, stage TEXT NOT NULL,
      reused INTEGER NOT NULL, PRIMARY KEY (run, alone, position)
    ) WITHOUT ROWID;
    CREATE INDEX run_stages_by_stage ON run_stages (stage);
    CREATE TABLE groups (
      number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, method TEXT NOT NULL, backbone TEXT NOT NULL,
      dtype TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'queued', wish TEXT NOT NULL DEFAULT '',
      claim INTEGER NOT NULL DEFAULT 0, worker TEXT, note TEXT NOT NULL DEFAULT '',
      warnings TEXT NOT NULL DEFAULT '', made TEXT NOT NULL DEFAULT ''
    );
    CREATE INDEX groups_by_state ON groups (state);
    CREATE TABLE events (
      stage INTEGER NOT NULL, seq INTEGER NOT NULL, kind TEXT NOT NULL, at REAL NOT NULL, payload TEXT NOT NULL,
      PRIMARY KEY (stage, seq)
    ) WITHOUT ROWID;
    CREATE TABLE scores (
      stage INTEGER NOT NULL, task TEXT NOT NULL, mean REAL, examples TEXT NOT NULL, PRIMARY KEY (stage, task)
    ) WITHOUT ROWID;
    CREATE TABLE artifacts (
      owner TEXT NOT NULL, kind TEXT NOT NULL, file TEXT NOT NULL, sha256 TEXT NOT NULL, bytes INTEGER NOT NULL,
      about TEXT NOT NULL, PRIMARY KEY (owner, kind)
    ) WITHOUT ROWID;
    CREATE TABLE workers (
      id TEXT PRIMARY KEY, host TEXT NOT NULL, pid INTEGER NOT NULL, device TEXT NOT NULL, started REAL NOT NULL,
      beat INTEGER NOT NULL DEFAULT 0, wish TEXT NOT NULL DEFAULT '', log TEXT NOT NULL DEFAULT ''
    );
    CREATE TABLE experiments (
      id TEXT PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, about TEXT NOT NULL, created REAL NOT NULL
    );
    CREATE TABLE experiment_runs (
      experiment TEXT NOT NULL, number INTEGER NOT NULL, run TEXT NOT NULL, cell TEXT NOT NULL,
      PRIMARY KEY (experiment, number)
    ) WITHOUT ROWID;
    CREATE INDEX experiment_runs_by_run ON experiment_runs (run);
    """,
    # A stage was said to take the time since its lane group began: all lanes were charged for all. Now each has its
    # share, which follows from when the lanes ended.
    """
    WITH ended AS (
      SELECT id, grp, seconds, seconds - lag(seconds, 1, 0) OVER lanes AS passed,
        count(*) OVER (PARTITION BY grp) - row_number() OVER lanes + 1 AS active
      FROM stages WHERE seconds IS NOT NULL WINDOW lanes AS (PARTITION BY grp ORDER BY seconds, id)
    ), shares AS (
      SELECT id, sum(1.0 * passed / active) OVER (PARTITION BY grp ORDER BY seconds, id) AS share FROM ended
    )
    UPDATE stages SET seconds=(SELECT share FROM shares WHERE shares.id=stages.id) WHERE seconds IS NOT NULL;
    UPDATE runs SET result=NULL;
    """,
)
VERSION = len(MIGRATIONS)
