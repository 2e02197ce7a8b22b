-- Files that have been moved to the other store (filmgate media migrate) and lie in the old one until nobody can be
-- reading them there. store: enum store_kind.
CREATE TABLE media_left (
    id      BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    store   TINYINT UNSIGNED NOT NULL,
    file    VARCHAR(100) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    gone_us BIGINT NOT NULL,
    KEY media_left_gone (gone_us)
) ENGINE = InnoDB;
