-- The database of Tyto, version 1 (PRAGMA user_version). Times are nanoseconds since 1970 UTC, ids 64-bit hashes of content
-- (shown as 16 hex digits), addresses text. learned: 0 seen, 1 learned, 2 folded, 3 alerted, 4 condemned. docs/STORE.md.
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;

CREATE TABLE net(
  name TEXT PRIMARY KEY, learned INTEGER NOT NULL, first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL,
  learn_ns INTEGER NOT NULL, novelty_ns INTEGER NOT NULL, alert_ns INTEGER NOT NULL) WITHOUT ROWID;

CREATE TABLE asset(
  id INTEGER PRIMARY KEY, net TEXT NOT NULL, key TEXT NOT NULL, name TEXT, type TEXT, type_reason TEXT, vendor TEXT,
  model TEXT, firmware TEXT, serial TEXT, os TEXT, state TEXT, zone TEXT, criticality TEXT, owner TEXT, tags TEXT,
  parent INTEGER NOT NULL, evidence INTEGER NOT NULL, roles INTEGER NOT NULL, n_targets INTEGER NOT NULL,
  purdue INTEGER NOT NULL, authorized INTEGER NOT NULL, flags INTEGER NOT NULL, learned INTEGER NOT NULL,
  first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL, learn_ns INTEGER NOT NULL, novelty_ns INTEGER NOT NULL,
  alert_ns INTEGER NOT NULL);
-- kind: 0 IP, or network and MAC of a station behind a router ("2001:5"), 1 MAC, 2 VLAN; n keeps their order
CREATE TABLE asset_addr(
  asset INTEGER NOT NULL, kind INTEGER NOT NULL, n INTEGER NOT NULL, value TEXT NOT NULL, learned INTEGER NOT NULL,
  PRIMARY KEY(asset, kind, n)) WITHOUT ROWID;

-- kind: enum obs_kind; sub: 4294967295 the device itself, else slot, unit or outstation
CREATE TABLE ident(
  asset INTEGER NOT NULL, kind INTEGER NOT NULL, sub INTEGER NOT NULL, source TEXT NOT NULL, value TEXT NOT NULL,
  confidence INTEGER NOT NULL, current INTEGER NOT NULL, learned INTEGER NOT NULL, first_ns INTEGER NOT NULL,
  last_ns INTEGER NOT NULL, PRIMARY KEY(asset, kind, sub, source, value)) WITHOUT ROWID;

CREATE TABLE link(
  id INTEGER PRIMARY KEY, net TEXT NOT NULL, client TEXT NOT NULL, server TEXT NOT NULL, l4 INTEGER NOT NULL,
  port INTEGER NOT NULL, apps TEXT NOT NULL, app_learned INTEGER NOT NULL,
  app_judged INTEGER NOT NULL, packets_c INTEGER NOT NULL,
  packets_s INTEGER NOT NULL, bytes_c INTEGER NOT NULL, bytes_s INTEGER NOT NULL, errors INTEGER NOT NULL,
  resets INTEGER NOT NULL, retransmissions INTEGER NOT NULL, gaps INTEGER NOT NULL, flags INTEGER NOT NULL,
  learned INTEGER NOT NULL, first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL, learn_ns INTEGER NOT NULL,
  novelty_ns INTEGER NOT NULL, alert_ns INTEGER NOT NULL);

CREATE TABLE func(
  id INTEGER PRIMARY KEY, link INTEGER NOT NULL, proto TEXT NOT NULL, function TEXT, name TEXT, fn INTEGER NOT NULL,
  sel INTEGER NOT NULL, unit INTEGER, sub INTEGER NOT NULL, learned INTEGER NOT NULL, first_ns INTEGER NOT NULL,
  last_ns INTEGER NOT NULL, learn_ns INTEGER NOT NULL, novelty_ns INTEGER NOT NULL, alert_ns INTEGER NOT NULL);

-- status: error codes met, "2" learned, "3?" not learned, joined by commas
CREATE TABLE op(
  id INTEGER PRIMARY KEY, func INTEGER NOT NULL, action TEXT NOT NULL, kind TEXT, name TEXT, object TEXT,
  space INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, has_range INTEGER NOT NULL,
  bit INTEGER NOT NULL, count INTEGER NOT NULL, errors INTEGER NOT NULL, period_us INTEGER NOT NULL,
  status TEXT NOT NULL, learned INTEGER NOT NULL, first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL,
  learn_ns INTEGER NOT NULL, novelty_ns INTEGER NOT NULL, alert_ns INTEGER NOT NULL);

-- seq grows with every insert or update: where outputs resume
CREATE TABLE alert(
  uid INTEGER PRIMARY KEY, seq INTEGER NOT NULL, upd INTEGER NOT NULL, first_ns INTEGER NOT NULL,
  last_ns INTEGER NOT NULL, count INTEGER NOT NULL, sid INTEGER NOT NULL, severity INTEGER NOT NULL, id TEXT NOT NULL,
  engine TEXT NOT NULL, title TEXT NOT NULL, src TEXT, dst TEXT, src_asset INTEGER NOT NULL, dst_asset INTEGER NOT NULL,
  state TEXT NOT NULL, accept TEXT, json TEXT NOT NULL);
CREATE TABLE outbox(output TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;
