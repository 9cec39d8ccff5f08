-- Version 2: alerts that were taken for normal for good (rules, anomalies, scans): tyto baseline accept alert:KEY.
CREATE TABLE accepted(
  key INTEGER PRIMARY KEY, type TEXT NOT NULL, src TEXT, dst TEXT, what TEXT, since_ns INTEGER NOT NULL);
