CREATE TABLE `delivery_totals` (
	`tenant_id` text NOT NULL,
	`receiver_id` text NOT NULL,
	`pending` integer NOT NULL,
	`retrying` integer NOT NULL,
	`delivered` integer NOT NULL,
	`dead` integer NOT NULL,
	`overdue` integer NOT NULL,
	PRIMARY KEY(`tenant_id`, `receiver_id`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `kill_times` (
	`tenant_id` text NOT NULL,
	`hour` integer NOT NULL,
	`receiver_id` text NOT NULL,
	`bucket` integer NOT NULL,
	`count` integer NOT NULL,
	PRIMARY KEY(`tenant_id`, `hour`, `receiver_id`, `bucket`)
);
--> statement-breakpoint
ALTER TABLE `deliveries` ADD `ends_sessions` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `deliveries` ADD `watch_from` integer;--> statement-breakpoint
ALTER TABLE `deliveries` ADD `overdue` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX `watched_deliveries` ON `deliveries` (`watch_from`) WHERE watch_from IS NOT NULL;--> statement-breakpoint
ALTER TABLE `receivers` ADD `failures` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `receivers` ADD `failing_since` integer;--> statement-breakpoint
ALTER TABLE `receivers` ADD `open_until` integer;--> statement-breakpoint
ALTER TABLE `totals` ADD `active` integer DEFAULT 0 NOT NULL;
--> statement-breakpoint
-- What there is already.
UPDATE `totals` SET `active` = (SELECT count(*) FROM `resources` r WHERE r.`tenant_id` = `totals`.`tenant_id`
	AND r.`type` = `totals`.`type` AND r.`scope` = `totals`.`scope` AND r.`active` = 1);
--> statement-breakpoint
UPDATE `deliveries` SET `ends_sessions` = 1,
		`watch_from` = iif(`state` IN ('pending', 'retrying'), `occurred_at`, NULL)
	WHERE (SELECT e.`data` ->> '$.sessions' FROM `events` e
		WHERE e.`tenant_id` = `deliveries`.`tenant_id` AND e.`sequence` = `deliveries`.`sequence`) = 'revoke_all';
--> statement-breakpoint
INSERT INTO `delivery_totals`
	SELECT `tenant_id`, `receiver_id`, sum(`state` = 'pending'), sum(`state` = 'retrying'), sum(`state` = 'delivered'),
		sum(`state` = 'dead'), 0
	FROM `deliveries` GROUP BY `tenant_id`, `receiver_id`;
--> statement-breakpoint
-- And from now on: in the transaction of each change, whoever makes it.
CREATE TRIGGER `deliveries_come` AFTER INSERT ON `deliveries` BEGIN
	INSERT INTO `delivery_totals` VALUES (NEW.`tenant_id`, NEW.`receiver_id`, NEW.`state` = 'pending',
		NEW.`state` = 'retrying', NEW.`state` = 'delivered', NEW.`state` = 'dead', NEW.`overdue`)
	ON CONFLICT DO UPDATE SET `pending` = `pending` + excluded.`pending`, `retrying` = `retrying` + excluded.`retrying`,
		`delivered` = `delivered` + excluded.`delivered`, `dead` = `dead` + excluded.`dead`,
		`overdue` = `overdue` + excluded.`overdue`;
END;
--> statement-breakpoint
CREATE TRIGGER `deliveries_move` AFTER UPDATE OF `state`, `overdue` ON `deliveries`
	WHEN NEW.`state` <> OLD.`state` OR NEW.`overdue` <> OLD.`overdue`
BEGIN
	UPDATE `delivery_totals` SET `pending` = `pending` + (NEW.`state` = 'pending') - (OLD.`state` = 'pending'),
		`retrying` = `retrying` + (NEW.`state` = 'retrying') - (OLD.`state` = 'retrying'),
		`delivered` = `delivered` + (NEW.`state` = 'delivered') - (OLD.`state` = 'delivered'),
		`dead` = `dead` + (NEW.`state` = 'dead') - (OLD.`state` = 'dead'),
		`overdue` = `overdue` + NEW.`overdue` - OLD.`overdue`
	WHERE `tenant_id` = NEW.`tenant_id` AND `receiver_id` = NEW.`receiver_id`;
END;
--> statement-breakpoint
-- The first receipt of an end of sessions is its kill time; a replay changes neither. The bucket of src/storage/kill-times.ts.
CREATE TRIGGER `deliveries_kill` AFTER UPDATE OF `state` ON `deliveries`
	WHEN NEW.`state` = 'delivered' AND OLD.`delivered_at` IS NULL AND NEW.`ends_sessions` = 1
BEGIN
	INSERT INTO `kill_times` VALUES (NEW.`tenant_id`, NEW.`delivered_at` / 3600000, NEW.`receiver_id`,
		CAST(ceil(ln(max(NEW.`delivered_at` - NEW.`occurred_at`, 1)) / ln(1.2)) AS INTEGER), 1)
	ON CONFLICT DO UPDATE SET `count` = `count` + 1;
END;
