PRAGMA foreign_keys = OFF;
PRAGMA application_id = 1382117450;
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE answers (
    place INTEGER NOT NULL REFERENCES places,
    from_secs INTEGER NOT NULL CHECK (from_secs % 900 = 0),
    to_secs INTEGER NOT NULL CHECK (to_secs % 900 = 0 AND to_secs - from_secs >= 900),
    rule TEXT NOT NULL,
    visits INTEGER NOT NULL CHECK (visits >= 10), times INTEGER NOT NULL,
    followed_n INTEGER CHECK (followed_n >= 10),
    before_sum REAL, before_squares REAL, change_sum REAL, change_squares REAL,
    smiling_before INTEGER, smiling_after INTEGER
);
INSERT INTO "answers" VALUES(1,1793577600,1793579400,'greet',10,11,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE health (
    place INTEGER NOT NULL REFERENCES places,
    from_secs INTEGER NOT NULL CHECK (from_secs % 900 = 0),
    to_secs INTEGER NOT NULL CHECK (to_secs % 900 = 0 AND to_secs - from_secs >= 900),
    images INTEGER NOT NULL, lost_images INTEGER NOT NULL, errors INTEGER NOT NULL,
    watched_secs REAL NOT NULL, paused_secs REAL NOT NULL
);
INSERT INTO "health" VALUES(1,1793577600,1793578500,13000,2,0,899.0,0.0);
CREATE TABLE places (
    place INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);
INSERT INTO "places" VALUES(1,'lobby');
CREATE TABLE ratings (
    place INTEGER NOT NULL REFERENCES places,
    from_secs INTEGER NOT NULL CHECK (from_secs % 900 = 0),
    to_secs INTEGER NOT NULL CHECK (to_secs % 900 = 0 AND to_secs - from_secs >= 900),
    ones INTEGER NOT NULL, twos INTEGER NOT NULL, threes INTEGER NOT NULL, fours INTEGER NOT NULL,
    fives INTEGER NOT NULL,
    CHECK (ones + twos + threes + fours + fives >= 10)
);
INSERT INTO "ratings" VALUES(1,1793577600,1793578500,0,1,2,3,5);
CREATE TABLE visits (
    place INTEGER NOT NULL REFERENCES places,
    from_secs INTEGER NOT NULL CHECK (from_secs % 900 = 0),
    to_secs INTEGER NOT NULL CHECK (to_secs % 900 = 0 AND to_secs - from_secs >= 900),
    view_n INTEGER NOT NULL CHECK (view_n >= 10),
    view_sum REAL NOT NULL, view_squares REAL NOT NULL,
    engaged_n INTEGER CHECK (engaged_n >= 10), engaged INTEGER, engaged_secs REAL,
    shown_n INTEGER CHECK (shown_n >= 10),
    angry_secs REAL, disgust_secs REAL, fear_secs REAL, happy_secs REAL, neutral_secs REAL,
    sad_secs REAL, surprise_secs REAL, contempt_secs REAL, unsure_secs REAL,
    smile_n INTEGER CHECK (smile_n >= 10), smiles INTEGER,
    peak_n INTEGER CHECK (peak_n >= 10), peak_sum REAL, peak_squares REAL,
    end_n INTEGER CHECK (end_n >= 10), end_sum REAL, end_squares REAL,
    confidence_n INTEGER CHECK (confidence_n >= 10), confidence_sum REAL, confidence_squares REAL,
    histograms BLOB NOT NULL
);
INSERT INTO "visits" VALUES(1,1793577600,1793578500,12,108.0,972.0,12,12,108.0,12,0.0,0.0,0.0,108.0,0.0,0.0,0.0,0.0,0.0,12,12,12,9.72,7.8732,12,9.72,7.8732,12,9.6,7.68,X'0C0000000000000000E05D000C000000E05D000000000C00000000E05D00000000000C0000000000E05D0000000000');
CREATE INDEX visits_by_time ON visits (place, from_secs);
CREATE INDEX answers_by_time ON answers (place, from_secs);
CREATE INDEX ratings_by_time ON ratings (place, from_secs);
CREATE INDEX health_by_time ON health (place, from_secs);
COMMIT;
