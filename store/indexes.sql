-- Made when a database is opened to go on, or is complete: a new one is filled without them, which is faster by far.
CREATE INDEX IF NOT EXISTS asset_addr_value ON asset_addr(value);
CREATE INDEX IF NOT EXISTS link_client ON link(client);
CREATE INDEX IF NOT EXISTS link_server ON link(server);
CREATE INDEX IF NOT EXISTS func_link ON func(link);
CREATE INDEX IF NOT EXISTS op_func ON op(func);
CREATE INDEX IF NOT EXISTS alert_time ON alert(last_ns);
CREATE INDEX IF NOT EXISTS alert_seq ON alert(seq);
