-- Schema 1. Every table is STRICT. Times are microseconds UTC, 0 = none. Enumerations are the integers of the headers.
-- Ids of connections, links, feeds, records, pairs, intents, runs, changes and so on come from counters in meta that
-- only grow: no id is ever given twice, also after the row with the highest one was deleted.
-- Remote ids are ANY: INTEGER where they are canonical decimal digits below 2^63 (no sign, no leading zero), else TEXT.
-- That is smaller and faster and hidden behind the C interface, where an id is always text.

CREATE TABLE meta(
  key   TEXT PRIMARY KEY,
  value ANY NOT NULL
) STRICT, WITHOUT ROWID;

-- Endpoints ---------------------------------------------------------------------------------------------------------

CREATE TABLE endpoint(
  endpoint INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  connector TEXT NOT NULL,
  system TEXT NOT NULL,
  org_key TEXT, org_name TEXT NOT NULL DEFAULT '', edition TEXT NOT NULL DEFAULT '',
  user_id TEXT NOT NULL DEFAULT '', user_name TEXT NOT NULL DEFAULT '',
  auth_state INTEGER NOT NULL DEFAULT 0,
  present INTEGER NOT NULL DEFAULT 1,
  block_code TEXT NOT NULL DEFAULT '', block_text TEXT NOT NULL DEFAULT '', blocked INTEGER NOT NULL DEFAULT 0,
  throttled_until INTEGER NOT NULL DEFAULT 0,
  clock_offset INTEGER NOT NULL DEFAULT 0, clock_uncertainty INTEGER NOT NULL DEFAULT 0,
  clock_at INTEGER NOT NULL DEFAULT 0,
  checked INTEGER NOT NULL DEFAULT 0, discovered INTEGER NOT NULL DEFAULT 0, made INTEGER NOT NULL,
  reserve_pct INTEGER NOT NULL DEFAULT 20, -- as configured at the last start or reload
  role INTEGER NOT NULL DEFAULT 0 -- as its connector said then
) STRICT;
-- The identity of an endpoint: its name is only a label.
CREATE UNIQUE INDEX endpoint_identity ON endpoint(system, org_key) WHERE org_key IS NOT NULL;

CREATE TABLE kind(
  endpoint INTEGER NOT NULL REFERENCES endpoint ON DELETE CASCADE,
  kind TEXT NOT NULL,
  description BLOB NOT NULL, hash INTEGER NOT NULL, discovered INTEGER NOT NULL,
  PRIMARY KEY(endpoint, kind)
) STRICT;

-- Numbers that observations use instead of paths. Rows are never deleted while the endpoint lives.
-- Columns of the key first: quick_check of SQLite 3.40 reads a column that stands before one of them as NULL.
CREATE TABLE field(
  endpoint INTEGER NOT NULL REFERENCES endpoint ON DELETE CASCADE,
  kind TEXT NOT NULL,
  path TEXT NOT NULL,
  number INTEGER NOT NULL,
  PRIMARY KEY(endpoint, kind, path),
  UNIQUE(endpoint, kind, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE quota(
  endpoint INTEGER NOT NULL REFERENCES endpoint ON DELETE CASCADE,
  name TEXT NOT NULL,
  lim INTEGER NOT NULL, remaining INTEGER NOT NULL, resets INTEGER NOT NULL, told INTEGER NOT NULL,
  PRIMARY KEY(endpoint, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE connector(
  connector TEXT PRIMARY KEY,
  disabled INTEGER NOT NULL DEFAULT 0,
  hosts TEXT NOT NULL DEFAULT '', -- declared by it and accepted by a person, comma separated
  version TEXT NOT NULL DEFAULT '', sha256 TEXT NOT NULL DEFAULT '', loaded INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- Connections, links, maps, settings --------------------------------------------------------------------------------

CREATE TABLE connection(
  connection INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  a_endpoint INTEGER NOT NULL REFERENCES endpoint,
  b_endpoint INTEGER NOT NULL REFERENCES endpoint,
  state INTEGER NOT NULL CHECK(state BETWEEN 0 AND 7), prev_state INTEGER NOT NULL,
  block_code TEXT NOT NULL, block_text TEXT NOT NULL,
  state_at INTEGER NOT NULL, paused INTEGER NOT NULL, made INTEGER NOT NULL,
  delete_at INTEGER NOT NULL DEFAULT 0, -- of one that is being deleted: when its rows go
  CHECK(a_endpoint <> b_endpoint)
) STRICT;
CREATE INDEX connection_a ON connection(a_endpoint);
CREATE INDEX connection_b ON connection(b_endpoint);

-- "One desk per CRM": an endpoint holds a group for one connection at a time.
CREATE TABLE claim(
  endpoint INTEGER NOT NULL REFERENCES endpoint ON DELETE CASCADE,
  grp TEXT NOT NULL,
  connection INTEGER NOT NULL REFERENCES connection ON DELETE CASCADE,
  PRIMARY KEY(endpoint, grp)
) STRICT, WITHOUT ROWID;
CREATE INDEX claim_connection ON claim(connection);

CREATE TABLE feed(
  feed INTEGER PRIMARY KEY,
  endpoint INTEGER NOT NULL REFERENCES endpoint,
  kind TEXT NOT NULL,
  view TEXT NOT NULL,
  cursor BLOB NOT NULL DEFAULT x'', cursor_at INTEGER NOT NULL DEFAULT 0, pulled INTEGER NOT NULL DEFAULT 0,
  shape_hash INTEGER NOT NULL DEFAULT 0,
  pass INTEGER NOT NULL DEFAULT 0,
  full_pass INTEGER NOT NULL DEFAULT 0,
  lookup_hash INTEGER NOT NULL DEFAULT 0, -- of the keys that the rows in lookup are complete for
  gap INTEGER NOT NULL DEFAULT 0,
  accepted INTEGER NOT NULL DEFAULT 0, -- when a person accepted what the next pass will show
  mirrored INTEGER NOT NULL DEFAULT 0, -- it is read for its own sake, whether a link reads it or not
  UNIQUE(endpoint, kind, view)
) STRICT;

CREATE TABLE link(
  link INTEGER PRIMARY KEY,
  connection INTEGER NOT NULL REFERENCES connection,
  name TEXT NOT NULL,
  a_kind TEXT NOT NULL, b_kind TEXT NOT NULL,
  a_feed INTEGER REFERENCES feed, b_feed INTEGER REFERENCES feed,
  mode INTEGER NOT NULL, topo INTEGER NOT NULL,
  phase INTEGER NOT NULL, position BLOB NOT NULL,
  map_gen INTEGER NOT NULL, created_from INTEGER NOT NULL, filter_hash INTEGER NOT NULL,
  run INTEGER NOT NULL, enabled INTEGER NOT NULL,
  brake_code TEXT NOT NULL, brake_text TEXT NOT NULL, brake_at INTEGER NOT NULL, made INTEGER NOT NULL,
  readopt INTEGER NOT NULL DEFAULT 0, -- since when marks of a passport are looked for
  next_map_no INTEGER NOT NULL DEFAULT 1,
  same_low TEXT, same_high TEXT, -- "endpoint/kind" of both sides in order; NULL of one that is being deleted
  UNIQUE(connection, name)
) STRICT;
-- The same two endpoints and kinds are synced by one link only, whichever way round and in whichever connection.
CREATE UNIQUE INDEX link_same ON link(same_low, same_high) WHERE same_low IS NOT NULL;
CREATE INDEX link_a_feed ON link(a_feed) WHERE a_feed IS NOT NULL;
CREATE INDEX link_b_feed ON link(b_feed) WHERE b_feed IS NOT NULL;

CREATE TABLE map(
  link INTEGER NOT NULL REFERENCES link ON DELETE CASCADE,
  map_no INTEGER NOT NULL,
  a_path TEXT NOT NULL, b_path TEXT NOT NULL,
  dir INTEGER NOT NULL, policy TEXT NOT NULL, transform TEXT NOT NULL, back TEXT NOT NULL,
  unless_blank INTEGER NOT NULL,
  is_default INTEGER NOT NULL, suspended TEXT NOT NULL, since_gen INTEGER NOT NULL,
  PRIMARY KEY(link, map_no)
) STRICT, WITHOUT ROWID;

-- layer 0: set at run time; 1: pinned by a configuration section, which counts first.
CREATE TABLE setting(
  scope INTEGER NOT NULL, owner INTEGER NOT NULL, key TEXT NOT NULL, layer INTEGER NOT NULL,
  value TEXT NOT NULL, origin TEXT NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY(scope, owner, key, layer)
) STRICT, WITHOUT ROWID;

-- Observations ------------------------------------------------------------------------------------------------------

-- One row per remote record, however many links use it. The blob comes last, so probing for seen_hash reads one page.
-- check_sum covers rec, feed, remote_id and observation.
CREATE TABLE record(
  rec INTEGER PRIMARY KEY,
  feed INTEGER NOT NULL,
  remote_id ANY NOT NULL,
  seen_hash INTEGER NOT NULL,
  state INTEGER NOT NULL,
  version_kind INTEGER NOT NULL,
  version TEXT,
  modified INTEGER NOT NULL, created INTEGER NOT NULL, seen INTEGER NOT NULL,
  recheck INTEGER,
  into_id ANY, by_user ANY, stamp TEXT,
  check_sum INTEGER NOT NULL,
  observation BLOB
) STRICT;
CREATE UNIQUE INDEX record_remote ON record(feed, remote_id);
CREATE INDEX record_recheck ON record(feed, recheck) WHERE recheck IS NOT NULL;
CREATE INDEX record_stamp ON record(feed, stamp) WHERE stamp IS NOT NULL;

-- Where a feed's records lie: one was made for it among those numbered 64 n to 64 n + 63. So a feed is walked in the
-- order of its rows, which an index in the order of remote ids would scatter, and no record pays for another index.
CREATE TABLE stretch(
  owner INTEGER NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY(owner, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE lookup(
  feed INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  key ANY NOT NULL,
  rec INTEGER NOT NULL,
  PRIMARY KEY(feed, kind, key, rec)
) STRICT, WITHOUT ROWID;

CREATE TABLE pass(
  pass INTEGER PRIMARY KEY,
  feed INTEGER NOT NULL REFERENCES feed ON DELETE CASCADE,
  state INTEGER NOT NULL, cursor BLOB NOT NULL, filter_hash INTEGER NOT NULL,
  started INTEGER NOT NULL, ended INTEGER NOT NULL, seen INTEGER NOT NULL, estimate INTEGER NOT NULL
) STRICT;
CREATE INDEX pass_feed ON pass(feed);

-- Which records a pass met: bit rec % 4096 of chunk rec / 4096.
CREATE TABLE pass_seen(
  pass INTEGER NOT NULL REFERENCES pass ON DELETE CASCADE,
  chunk INTEGER NOT NULL,
  bits BLOB NOT NULL,
  PRIMARY KEY(pass, chunk)
) STRICT, WITHOUT ROWID;

-- Pairs -------------------------------------------------------------------------------------------------------------

-- base_x NULL: equal to the record's observation; x'': nothing agreed yet; else the values, then their checksum.
CREATE TABLE pair(
  pair INTEGER PRIMARY KEY,
  link INTEGER NOT NULL,
  a_rec INTEGER, b_rec INTEGER,
  slot TEXT NOT NULL,
  status INTEGER NOT NULL, flags INTEGER NOT NULL, unsettled INTEGER NOT NULL,
  due INTEGER, lane INTEGER NOT NULL, intent INTEGER NOT NULL, attempts INTEGER NOT NULL,
  a_gen INTEGER NOT NULL, b_gen INTEGER NOT NULL,
  run INTEGER NOT NULL, map_gen INTEGER NOT NULL, made INTEGER NOT NULL, synced INTEGER NOT NULL,
  chg BLOB, extra BLOB,
  a_base BLOB, b_base BLOB
) STRICT;
CREATE UNIQUE INDEX pair_a ON pair(a_rec, link, slot) WHERE a_rec IS NOT NULL;
CREATE UNIQUE INDEX pair_b ON pair(b_rec, link) WHERE b_rec IS NOT NULL;
CREATE INDEX pair_link ON pair(link);
-- Ready work of one link and lane, in order; a link that rests is not looked at.
CREATE INDEX pair_ready ON pair(link, lane, due, pair) WHERE due IS NOT NULL AND intent = 0;
CREATE INDEX pair_bad ON pair(link, status, pair) WHERE status <> 0;
CREATE TRIGGER pair_keep BEFORE DELETE ON pair WHEN OLD.intent <> 0
BEGIN SELECT RAISE(ABORT, 'pair has an open intent'); END;

-- Rows per link and feed, kept with the transactions that change them.
CREATE TABLE tally(
  what INTEGER NOT NULL, -- 0 records of a feed, 1 pairs of a link, 2 of those with both sides, 3 unsettled
  owner INTEGER NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY(what, owner)
) STRICT, WITHOUT ROWID;

-- One row a batch; entries holds what is open of it.
CREATE TABLE intent(
  intent INTEGER PRIMARY KEY,
  link INTEGER NOT NULL, endpoint INTEGER NOT NULL, side INTEGER NOT NULL, op INTEGER NOT NULL,
  lane INTEGER NOT NULL, state INTEGER NOT NULL, flags INTEGER NOT NULL,
  run INTEGER NOT NULL, map_gen INTEGER NOT NULL, made INTEGER NOT NULL, settle INTEGER NOT NULL,
  entries BLOB NOT NULL
) STRICT;

-- Observations that were replaced while an intent of the pair was open; checksum at the end.
CREATE TABLE intent_source(
  pair INTEGER NOT NULL,
  side INTEGER NOT NULL,
  observation BLOB NOT NULL,
  PRIMARY KEY(pair, side)
) STRICT;

CREATE TABLE conflict(
  pair INTEGER NOT NULL, map_no INTEGER NOT NULL, link INTEGER NOT NULL,
  a_value BLOB, b_value BLOB, base BLOB, at INTEGER NOT NULL,
  PRIMARY KEY(pair, map_no)
) STRICT;
CREATE INDEX conflict_link ON conflict(link, pair, map_no);

CREATE TABLE parked(
  pair INTEGER NOT NULL, map_no INTEGER NOT NULL,
  dep_link INTEGER NOT NULL, dep_side INTEGER NOT NULL, dep_id ANY NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY(pair, map_no)
) STRICT, WITHOUT ROWID;
CREATE INDEX parked_dep ON parked(dep_link, dep_side, dep_id);
CREATE INDEX parked_at ON parked(at);

CREATE TABLE held(
  link INTEGER NOT NULL, rec INTEGER NOT NULL,
  side INTEGER NOT NULL, pair INTEGER NOT NULL, why TEXT NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY(link, rec)
) STRICT, WITHOUT ROWID;
CREATE INDEX held_pair ON held(pair);
CREATE INDEX held_rec ON held(rec);

CREATE TABLE old_id(
  link INTEGER NOT NULL, rec INTEGER NOT NULL,
  side INTEGER NOT NULL, pair INTEGER NOT NULL, gen INTEGER NOT NULL, why TEXT NOT NULL,
  base BLOB NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY(link, rec)
) STRICT;
CREATE INDEX old_id_pair ON old_id(pair);
CREATE INDEX old_id_rec ON old_id(rec);
CREATE INDEX old_id_at ON old_id(at);

-- Map passports: stamps of former instances that count here, and pairs that wait for their records.
CREATE TABLE passport_key(
  instance TEXT PRIMARY KEY,
  key BLOB NOT NULL, at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE passport_pair(
  passport INTEGER PRIMARY KEY,
  link INTEGER NOT NULL REFERENCES link ON DELETE CASCADE,
  a_id ANY NOT NULL, b_id ANY NOT NULL, slot TEXT NOT NULL,
  status INTEGER NOT NULL, a_gen INTEGER NOT NULL, b_gen INTEGER NOT NULL, at INTEGER NOT NULL,
  UNIQUE(link, a_id, b_id, slot)
) STRICT;
CREATE INDEX passport_pair_link ON passport_pair(link, passport);

-- History -----------------------------------------------------------------------------------------------------------

CREATE TABLE run(
  run INTEGER PRIMARY KEY,
  connection INTEGER NOT NULL, link INTEGER NOT NULL,
  kind INTEGER NOT NULL, state INTEGER NOT NULL,
  made INTEGER NOT NULL, started INTEGER NOT NULL, ended INTEGER NOT NULL,
  who TEXT NOT NULL, phase TEXT NOT NULL, done INTEGER NOT NULL, total INTEGER NOT NULL,
  pair_low INTEGER NOT NULL DEFAULT 0, pair_high INTEGER NOT NULL DEFAULT 0,
  error TEXT NOT NULL,
  about INTEGER NOT NULL DEFAULT 0, -- the run it carries out (a first sync: the dry run) or takes back (an undo)
  basis INTEGER NOT NULL DEFAULT 0, -- of a dry run: what maps and settings it was made from
  busy INTEGER NOT NULL DEFAULT 0   -- how long it got on, without pauses, outages and waiting
) STRICT;
CREATE INDEX run_connection ON run(connection, run);
CREATE INDEX run_open ON run(run) WHERE state IN (0, 1, 6);

CREATE TABLE run_count(
  run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  link INTEGER NOT NULL, dest INTEGER NOT NULL,
  added INTEGER NOT NULL, updated INTEGER NOT NULL, matched INTEGER NOT NULL, deleted INTEGER NOT NULL,
  failed INTEGER NOT NULL, unchanged INTEGER NOT NULL, echo INTEGER NOT NULL, conflict INTEGER NOT NULL,
  skipped INTEGER NOT NULL,
  PRIMARY KEY(run, link, dest)
) STRICT, WITHOUT ROWID;

-- What a dry run found and what became of it; what an undo takes back. A record's hash is its seen_hash at that time.
CREATE TABLE plan_item(
  run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  item INTEGER NOT NULL,
  link INTEGER NOT NULL, what INTEGER NOT NULL, side INTEGER NOT NULL, state INTEGER NOT NULL,
  pair INTEGER NOT NULL, a_rec INTEGER, b_rec INTEGER, a_hash INTEGER NOT NULL, b_hash INTEGER NOT NULL,
  code TEXT NOT NULL, field TEXT NOT NULL, detail TEXT NOT NULL, fields TEXT NOT NULL,
  PRIMARY KEY(run, item)
) STRICT, WITHOUT ROWID;
CREATE INDEX plan_item_a ON plan_item(run, a_rec) WHERE a_rec IS NOT NULL;
CREATE INDEX plan_item_b ON plan_item(run, b_rec) WHERE b_rec IS NOT NULL;
CREATE INDEX plan_item_pair ON plan_item(run, pair) WHERE pair <> 0;

-- Every remote write but the first create of a pair, which pair.run carries.
CREATE TABLE change(
  change INTEGER PRIMARY KEY,
  run INTEGER NOT NULL, pair INTEGER NOT NULL, side INTEGER NOT NULL, op INTEGER NOT NULL,
  remote_id ANY, fields BLOB NOT NULL, cause TEXT NOT NULL, at INTEGER NOT NULL
) STRICT;
CREATE INDEX change_pair ON change(pair);
CREATE INDEX change_run ON change(run);

CREATE TABLE failure(
  failure INTEGER PRIMARY KEY,
  link INTEGER NOT NULL, pair INTEGER NOT NULL, side INTEGER NOT NULL, remote_id ANY NOT NULL,
  code TEXT NOT NULL, reason INTEGER NOT NULL, field TEXT NOT NULL, text TEXT NOT NULL,
  vendor_code TEXT NOT NULL, vendor_text TEXT NOT NULL,
  run INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, n INTEGER NOT NULL,
  retry INTEGER NOT NULL, next INTEGER NOT NULL,
  resolved INTEGER, resolved_by TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE UNIQUE INDEX failure_open ON failure(link, side, remote_id, code) WHERE resolved IS NULL;
CREATE INDEX failure_pair ON failure(pair) WHERE resolved IS NULL;
CREATE INDEX failure_resolved ON failure(resolved) WHERE resolved IS NOT NULL;
CREATE INDEX failure_run ON failure(run);

-- Acts --------------------------------------------------------------------------------------------------------------

-- What people can have done to records of a kind, as the endpoint describes it.
CREATE TABLE action(
  endpoint INTEGER NOT NULL REFERENCES endpoint ON DELETE CASCADE,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  description BLOB NOT NULL, hash INTEGER NOT NULL, discovered INTEGER NOT NULL,
  PRIMARY KEY(endpoint, kind, name)
) STRICT;

-- One deed each, kept before anything is sent: its key names it at the vendor too, so that it is done once.
CREATE TABLE act(
  act INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  connection INTEGER NOT NULL, endpoint INTEGER NOT NULL,
  kind TEXT NOT NULL, name TEXT NOT NULL,
  record ANY, -- acted on, or made by it
  who TEXT NOT NULL, person TEXT NOT NULL,
  beside_kind TEXT NOT NULL, beside_id ANY, -- the record of the other end that it was done beside
  state INTEGER NOT NULL,
  params TEXT NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL, -- JSON
  code TEXT NOT NULL, words TEXT NOT NULL,
  made INTEGER NOT NULL, ended INTEGER NOT NULL,
  look_at INTEGER NOT NULL, looks INTEGER NOT NULL -- of unknown outcome: when the vendor is looked at again
) STRICT;
CREATE INDEX act_connection ON act(connection, act);
CREATE INDEX act_open ON act(act) WHERE state < 2 OR look_at > 0;

-- A record that was made beside one of the connection's other end: an invoice beside a ticket.
CREATE TABLE relation(
  relation INTEGER PRIMARY KEY,
  connection INTEGER NOT NULL REFERENCES connection ON DELETE CASCADE,
  endpoint INTEGER NOT NULL, kind TEXT NOT NULL, id ANY NOT NULL,
  beside_kind TEXT NOT NULL, beside_id ANY NOT NULL,
  who TEXT NOT NULL, made INTEGER NOT NULL,
  UNIQUE(connection, beside_kind, beside_id, endpoint, kind, id)
) STRICT;

-- From outside ------------------------------------------------------------------------------------------------------

CREATE TABLE hint(
  feed INTEGER NOT NULL, remote_id ANY NOT NULL,
  gone INTEGER NOT NULL, at INTEGER NOT NULL, n INTEGER NOT NULL,
  PRIMARY KEY(feed, remote_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX hint_at ON hint(feed, at);

CREATE TABLE delivery(
  endpoint INTEGER NOT NULL, key INTEGER NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY(endpoint, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX delivery_at ON delivery(at);

CREATE TABLE inbox(
  inbox INTEGER PRIMARY KEY,
  endpoint INTEGER NOT NULL, received INTEGER NOT NULL,
  method TEXT NOT NULL, headers TEXT NOT NULL, query TEXT NOT NULL, body BLOB NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0, due INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX inbox_due ON inbox(endpoint, due, inbox);

CREATE TABLE webhook(
  endpoint INTEGER PRIMARY KEY REFERENCES endpoint ON DELETE CASCADE,
  secret BLOB NOT NULL, -- sealed
  id TEXT NOT NULL DEFAULT '', audience TEXT NOT NULL DEFAULT '', kinds TEXT NOT NULL DEFAULT '',
  url INTEGER NOT NULL DEFAULT 0, -- hash of the address the vendor was told
  subscribed INTEGER NOT NULL DEFAULT 0, expires INTEGER NOT NULL DEFAULT 0,
  made INTEGER NOT NULL, received INTEGER NOT NULL DEFAULT 0,
  accepted INTEGER NOT NULL DEFAULT 0, refused INTEGER NOT NULL DEFAULT 0, duplicates INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Secrets: sealed blobs only ----------------------------------------------------------------------------------------

CREATE TABLE secret(
  name TEXT PRIMARY KEY,
  sealed BLOB NOT NULL, who TEXT NOT NULL, at INTEGER NOT NULL
) STRICT;

CREATE TABLE token(
  endpoint INTEGER PRIMARY KEY REFERENCES endpoint ON DELETE CASCADE,
  sealed BLOB NOT NULL, expires INTEGER NOT NULL, generation INTEGER NOT NULL, at INTEGER NOT NULL
) STRICT;

CREATE TABLE kv(
  endpoint INTEGER NOT NULL REFERENCES endpoint ON DELETE CASCADE,
  key TEXT NOT NULL,
  value BLOB NOT NULL,
  PRIMARY KEY(endpoint, key)
) STRICT;

-- What agents see and do --------------------------------------------------------------------------------------------

-- Profiles of a help desk, as it tells them.
CREATE TABLE profile(
  endpoint INTEGER NOT NULL REFERENCES endpoint ON DELETE CASCADE,
  id TEXT NOT NULL,
  name TEXT NOT NULL, administrator INTEGER NOT NULL,
  first_seen INTEGER NOT NULL, gone INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY(endpoint, id)
) STRICT, WITHOUT ROWID;

-- A row grants, no row denies. object: "integration", or a kind; item: "visible", what is shown of it, or a right.
CREATE TABLE permission(
  connection INTEGER NOT NULL REFERENCES connection ON DELETE CASCADE,
  profile TEXT NOT NULL,
  object TEXT NOT NULL,
  item TEXT NOT NULL,
  PRIMARY KEY(connection, profile, object, item)
) STRICT, WITHOUT ROWID;

-- Profiles that were decided about, at the set-up or by a person since; others are new. The empty profile stands for
-- the set-up itself.
CREATE TABLE permission_decided(
  connection INTEGER NOT NULL REFERENCES connection ON DELETE CASCADE,
  profile TEXT NOT NULL,
  at INTEGER NOT NULL, who TEXT NOT NULL,
  PRIMARY KEY(connection, profile)
) STRICT, WITHOUT ROWID;

-- Who may come in by a token of ours. Its hash alone is kept; kind leaves room for codes and sessions.
CREATE TABLE api_token(
  token INTEGER PRIMARY KEY,
  hash BLOB NOT NULL UNIQUE,
  kind INTEGER NOT NULL,
  name TEXT NOT NULL, scopes INTEGER NOT NULL,
  endpoint INTEGER REFERENCES endpoint ON DELETE CASCADE, agent TEXT NOT NULL, -- NULL and empty: an operator
  made_by TEXT NOT NULL, made INTEGER NOT NULL, expires INTEGER NOT NULL, revoked INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX api_token_endpoint ON api_token(endpoint) WHERE endpoint IS NOT NULL;

-- People ------------------------------------------------------------------------------------------------------------

CREATE TABLE repair(
  repair INTEGER PRIMARY KEY,
  object TEXT NOT NULL, code TEXT NOT NULL, key TEXT NOT NULL, level INTEGER NOT NULL,
  text TEXT NOT NULL, hint TEXT NOT NULL,
  first INTEGER NOT NULL, last INTEGER NOT NULL, n INTEGER NOT NULL, resolved INTEGER
) STRICT;
CREATE UNIQUE INDEX repair_open ON repair(object, code, key) WHERE resolved IS NULL;

CREATE TABLE audit(
  audit INTEGER PRIMARY KEY,
  at INTEGER NOT NULL, who TEXT NOT NULL, act TEXT NOT NULL, object TEXT NOT NULL, detail TEXT NOT NULL,
  hash BLOB NOT NULL
) STRICT;

-- Of every record of a person who was erased a mark stays, so that it is not stored again: a keyed hash of its system,
-- org, kind and id.
CREATE TABLE erasure(
  erasure INTEGER PRIMARY KEY,
  at INTEGER NOT NULL, who TEXT NOT NULL
) STRICT;

CREATE TABLE erased(
  mark TEXT PRIMARY KEY,
  erasure INTEGER NOT NULL REFERENCES erasure
) STRICT, WITHOUT ROWID;
CREATE INDEX erased_erasure ON erased(erasure);
