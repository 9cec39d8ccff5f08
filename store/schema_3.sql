-- Version 3: what people ask of the sensor that writes this database. It does it and takes the row away, or answers why not.
CREATE TABLE wish(id INTEGER PRIMARY KEY AUTOINCREMENT, accept TEXT NOT NULL, answer TEXT);
