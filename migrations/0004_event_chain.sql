CREATE TABLE `event_chain` (
	`tenant_id` text PRIMARY KEY NOT NULL,
	`sequence` integer NOT NULL,
	`hash` text NOT NULL
);
--> statement-breakpoint
ALTER TABLE `events` ADD `origin` text;--> statement-breakpoint
ALTER TABLE `events` ADD `hash` text;--> statement-breakpoint
CREATE INDEX `events_access` ON `events` (`tenant_id`,`user_id`,`sequence`) WHERE type IN ('user.deactivated', 'user.deleted', 'user.sessions_revoked', 'user.reactivated');--> statement-breakpoint
CREATE INDEX `unsealed_events` ON `events` (`tenant_id`,`sequence`) WHERE hash IS NULL;