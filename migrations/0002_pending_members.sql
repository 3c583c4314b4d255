CREATE TABLE `pending_members` (
	`tenant_id` text NOT NULL,
	`group_id` text NOT NULL,
	`value` text NOT NULL,
	`folded` text NOT NULL,
	`connection_id` text NOT NULL,
	`version` text NOT NULL,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`tenant_id`, `group_id`, `value`)
);
--> statement-breakpoint
CREATE INDEX `pending_members_folded` ON `pending_members` (`tenant_id`,`folded`);--> statement-breakpoint
CREATE INDEX `pending_members_version` ON `pending_members` (`tenant_id`,`version`);--> statement-breakpoint
CREATE TABLE `pending_totals` (
	`tenant_id` text PRIMARY KEY NOT NULL,
	`live` integer NOT NULL,
	CONSTRAINT "too_many_pending" CHECK("pending_totals"."live" <= 100000)
);
--> statement-breakpoint
CREATE TRIGGER `pending_members_come` AFTER INSERT ON `pending_members` BEGIN
	INSERT INTO `pending_totals` (`tenant_id`, `live`) VALUES (NEW.`tenant_id`, 1)
		ON CONFLICT DO UPDATE SET `live` = `live` + 1;
END;
--> statement-breakpoint
CREATE TRIGGER `pending_members_go` AFTER DELETE ON `pending_members` BEGIN
	UPDATE `pending_totals` SET `live` = `live` - 1 WHERE `tenant_id` = OLD.`tenant_id`;
END;
