CREATE TABLE `aborts` (
	`tenant_id` text NOT NULL,
	`reason` text NOT NULL,
	CONSTRAINT "stale_version" CHECK("aborts"."reason" <> 'stale_version'),
	CONSTRAINT "unknown_member" CHECK("aborts"."reason" <> 'unknown_member'),
	CONSTRAINT "no_reason" CHECK(0)
);
--> statement-breakpoint
CREATE TABLE `activity` (
	`tenant_id` text NOT NULL,
	`id` text NOT NULL,
	`at` integer NOT NULL,
	`outcome` text NOT NULL,
	`connection_id` text,
	`token_hint` text,
	`method` text NOT NULL,
	`path` text NOT NULL,
	`status` integer NOT NULL,
	`scim_type` text,
	`detail` text,
	`resource_type` text,
	`resource_id` text,
	`tolerances` text NOT NULL,
	`duration_ms` integer NOT NULL,
	PRIMARY KEY(`tenant_id`, `id`)
);
--> statement-breakpoint
CREATE INDEX `activity_outcome` ON `activity` (`tenant_id`,`outcome`,`id`);--> statement-breakpoint
CREATE INDEX `activity_connection` ON `activity` (`tenant_id`,`connection_id`,`id`);--> statement-breakpoint
CREATE TABLE `connections` (
	`tenant_id` text NOT NULL,
	`id` text NOT NULL,
	`name` text NOT NULL,
	`idp` text NOT NULL,
	`mode` text NOT NULL,
	`status` text NOT NULL,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`tenant_id`, `id`)
);
--> statement-breakpoint
CREATE TABLE `deliveries` (
	`tenant_id` text NOT NULL,
	`sequence` integer NOT NULL,
	`receiver_id` text NOT NULL,
	`event_id` text NOT NULL,
	`user_id` text,
	`state` text NOT NULL,
	`attempts` integer NOT NULL,
	`attempts_before` integer NOT NULL,
	`last_status` integer,
	`last_error` text,
	`occurred_at` integer NOT NULL,
	`delivered_at` integer,
	`next_attempt_at` integer,
	`sessions_ended` integer,
	`lease_until` integer,
	`wake_at` integer,
	PRIMARY KEY(`tenant_id`, `sequence`, `receiver_id`)
);
--> statement-breakpoint
CREATE INDEX `deliveries_receiver` ON `deliveries` (`tenant_id`,`receiver_id`,`state`,`sequence`);--> statement-breakpoint
CREATE INDEX `deliveries_state` ON `deliveries` (`tenant_id`,`state`,`sequence`);--> statement-breakpoint
CREATE INDEX `deliveries_user` ON `deliveries` (`tenant_id`,`user_id`,`sequence`);--> statement-breakpoint
CREATE INDEX `due_deliveries` ON `deliveries` (`wake_at`) WHERE wake_at IS NOT NULL;--> statement-breakpoint
CREATE TABLE `events` (
	`tenant_id` text NOT NULL,
	`sequence` integer NOT NULL,
	`id` text NOT NULL,
	`type` text NOT NULL,
	`txn` text NOT NULL,
	`user_id` text,
	`group_id` text,
	`connection_id` text,
	`occurred_at` integer NOT NULL,
	`data` text NOT NULL,
	PRIMARY KEY(`tenant_id`, `sequence`)
);
--> statement-breakpoint
CREATE INDEX `events_user` ON `events` (`tenant_id`,`user_id`,`sequence`);--> statement-breakpoint
CREATE INDEX `events_type` ON `events` (`tenant_id`,`type`,`sequence`);--> statement-breakpoint
CREATE TABLE `gaps` (
	`tenant_id` text NOT NULL,
	`type` text NOT NULL,
	`scope` text NOT NULL,
	`size` integer NOT NULL,
	`block` integer NOT NULL,
	`gone` integer NOT NULL,
	PRIMARY KEY(`tenant_id`, `type`, `scope`, `size`, `block`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `jobs` (
	`tenant_id` text NOT NULL,
	`id` text NOT NULL,
	`kind` text NOT NULL,
	`connection_id` text,
	`position` integer NOT NULL,
	`done` integer NOT NULL,
	`total` integer NOT NULL,
	`created_at` integer NOT NULL,
	`wake_at` integer,
	PRIMARY KEY(`tenant_id`, `id`)
);
--> statement-breakpoint
CREATE INDEX `due_jobs` ON `jobs` (`wake_at`) WHERE wake_at IS NOT NULL;--> statement-breakpoint
CREATE TABLE `lookups` (
	`tenant_id` text NOT NULL,
	`type` text NOT NULL,
	`attribute` text NOT NULL,
	`scope` text NOT NULL,
	`value` text NOT NULL,
	`resource_id` text NOT NULL,
	`is_unique` integer NOT NULL,
	PRIMARY KEY(`tenant_id`, `type`, `attribute`, `scope`, `value`, `resource_id`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `lookups_unique` ON `lookups` (`tenant_id`,`type`,`attribute`,`scope`,`value`) WHERE is_unique = 1;--> statement-breakpoint
CREATE TABLE `members` (
	`tenant_id` text NOT NULL,
	`group_id` text NOT NULL,
	`member_id` text NOT NULL,
	`type` text NOT NULL,
	`version` text NOT NULL,
	PRIMARY KEY(`tenant_id`, `group_id`, `member_id`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `members_member` ON `members` (`tenant_id`,`member_id`,`group_id`);--> statement-breakpoint
CREATE TABLE `receivers` (
	`tenant_id` text NOT NULL,
	`id` text NOT NULL,
	`kind` text NOT NULL,
	`url` text NOT NULL,
	`events` text,
	`retry` text,
	`status` text NOT NULL,
	`secret` text NOT NULL,
	`previous_secret` text,
	`previous_secret_until` integer,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`tenant_id`, `id`)
);
--> statement-breakpoint
CREATE TABLE `resources` (
	`tenant_id` text NOT NULL,
	`id` text NOT NULL,
	`type` text NOT NULL,
	`scope` text NOT NULL,
	`serial` integer NOT NULL,
	`connection_id` text NOT NULL,
	`document` text NOT NULL,
	`comparable` text,
	`active` integer,
	`version` text NOT NULL,
	`created_at` integer NOT NULL,
	`last_modified` integer NOT NULL,
	`sessions_not_before` integer,
	`session_epoch` integer NOT NULL,
	PRIMARY KEY(`tenant_id`, `id`)
);
--> statement-breakpoint
CREATE UNIQUE INDEX `resources_list` ON `resources` (`tenant_id`,`type`,`scope`,`serial`);--> statement-breakpoint
CREATE INDEX `resources_last_modified` ON `resources` (`tenant_id`,`type`,`scope`,`last_modified`);--> statement-breakpoint
CREATE INDEX `resources_connection` ON `resources` (`tenant_id`,`connection_id`,`type`,`active`,`serial`);--> statement-breakpoint
CREATE TABLE `tenant_directory` (
	`slug` text PRIMARY KEY NOT NULL,
	`tenant_id` text NOT NULL,
	`database` text NOT NULL,
	`created_at` integer NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `tenants` (
	`tenant_id` text PRIMARY KEY NOT NULL,
	`slug` text NOT NULL,
	`name` text NOT NULL,
	`profile` text NOT NULL,
	`status` text NOT NULL,
	`config_version` integer NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `tokens` (
	`tenant_id` text NOT NULL,
	`id` text NOT NULL,
	`connection_id` text NOT NULL,
	`hash` text NOT NULL,
	`hint` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer,
	`last_used_at` integer,
	`revoked_at` integer,
	`superseded_by` text,
	PRIMARY KEY(`tenant_id`, `id`)
);
--> statement-breakpoint
CREATE INDEX `tokens_connection` ON `tokens` (`tenant_id`,`connection_id`,`id`);--> statement-breakpoint
CREATE TABLE `totals` (
	`tenant_id` text NOT NULL,
	`type` text NOT NULL,
	`scope` text NOT NULL,
	`live` integer NOT NULL,
	`last_serial` integer NOT NULL,
	PRIMARY KEY(`tenant_id`, `type`, `scope`)
) WITHOUT ROWID;
