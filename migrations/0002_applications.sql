CREATE TABLE `access_losses` (
	`tenant_id` text NOT NULL,
	`slot` integer NOT NULL,
	`at` integer NOT NULL,
	PRIMARY KEY(`tenant_id`, `slot`)
);
--> statement-breakpoint
CREATE TABLE `app_keys` (
	`tenant_id` text NOT NULL,
	`id` text NOT NULL,
	`name` text,
	`hash` text NOT NULL,
	`hint` text NOT NULL,
	`created_at` integer NOT NULL,
	`last_used_at` integer,
	PRIMARY KEY(`tenant_id`, `id`)
);
--> statement-breakpoint
CREATE TABLE `breakers` (
	`tenant_id` text PRIMARY KEY NOT NULL,
	`enabled` integer NOT NULL,
	`threshold` integer NOT NULL,
	`window_minutes` integer NOT NULL,
	`losses` integer NOT NULL,
	`tripped_at` integer,
	`round` integer NOT NULL
);
--> statement-breakpoint
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
CREATE TABLE `event_chain` (
	`tenant_id` text PRIMARY KEY NOT NULL,
	`sequence` integer NOT NULL,
	`hash` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `held_deletions` (
	`tenant_id` text NOT NULL,
	`serial` integer NOT NULL,
	`user_id` text NOT NULL,
	`connection_id` text NOT NULL,
	`at` integer NOT NULL,
	`active` integer NOT NULL,
	`group_ids` text NOT NULL,
	`round` integer NOT NULL,
	`kept_because` text,
	PRIMARY KEY(`tenant_id`, `serial`)
);
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
CREATE TABLE `mappings` (
	`tenant_id` text NOT NULL,
	`connection_id` text NOT NULL,
	`version` integer NOT NULL,
	`document` text NOT NULL,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`tenant_id`, `connection_id`, `version`)
) WITHOUT ROWID;
--> statement-breakpoint
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
CREATE TABLE `profiles` (
	`name` text NOT NULL,
	`version` integer NOT NULL,
	`document` text NOT NULL,
	`created_at` integer NOT NULL,
	`adopted_slug` text NOT NULL,
	`wake_at` integer,
	PRIMARY KEY(`name`, `version`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `due_profiles` ON `profiles` (`wake_at`) WHERE wake_at IS NOT NULL;--> statement-breakpoint
CREATE TABLE `revocations` (
	`tenant_id` text NOT NULL,
	`user_id` text NOT NULL,
	`sequence` integer NOT NULL,
	`not_before` integer NOT NULL,
	`epoch` integer NOT NULL,
	`reason` text NOT NULL,
	`at` integer NOT NULL,
	`user_name` text,
	`external_id` text,
	`deleted_at` integer,
	PRIMARY KEY(`tenant_id`, `user_id`)
);
--> statement-breakpoint
CREATE INDEX `revocations_sequence` ON `revocations` (`tenant_id`,`sequence`);--> statement-breakpoint
CREATE INDEX `old_revocations` ON `revocations` (`deleted_at`) WHERE deleted_at IS NOT NULL;--> statement-breakpoint
CREATE TABLE `roles` (
	`tenant_id` text NOT NULL,
	`id` text NOT NULL,
	`name` text NOT NULL,
	`source` text NOT NULL,
	`permissions` text NOT NULL,
	`privileged` integer,
	`members` integer NOT NULL,
	PRIMARY KEY(`tenant_id`, `id`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `roles_attribute` ON `roles` (`tenant_id`,`name`) WHERE source = 'attribute';--> statement-breakpoint
CREATE TABLE `setup_links` (
	`tenant_id` text NOT NULL,
	`id` text NOT NULL,
	`connection_id` text,
	`hash` text NOT NULL,
	`expires_at` integer NOT NULL,
	`used_at` integer,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`tenant_id`, `id`)
);
--> statement-breakpoint
CREATE TABLE `signing_keys` (
	`tenant_id` text NOT NULL,
	`kid` text NOT NULL,
	`public_jwk` text NOT NULL,
	`private_jwk` text,
	`created_at` integer NOT NULL,
	`signs_from` integer NOT NULL,
	`published_until` integer,
	PRIMARY KEY(`tenant_id`, `kid`)
);
--> statement-breakpoint
CREATE TABLE `target_groups` (
	`tenant_id` text NOT NULL,
	`id` text NOT NULL,
	`name` text NOT NULL,
	`managed` text NOT NULL,
	`members` integer NOT NULL,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`tenant_id`, `id`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `target_groups_name` ON `target_groups` (`tenant_id`,`name`);--> statement-breakpoint
CREATE TABLE `tenant_resource_types` (
	`tenant_id` text NOT NULL,
	`name` text NOT NULL,
	`document` text NOT NULL,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`tenant_id`, `name`)
) WITHOUT ROWID;
--> statement-breakpoint
ALTER TABLE `activity` ADD `help` text;--> statement-breakpoint
ALTER TABLE `connections` ADD `mapping_version` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `deliveries` ADD `answered` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `deliveries` ADD `ends_sessions` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `deliveries` ADD `watch_from` integer;--> statement-breakpoint
ALTER TABLE `deliveries` ADD `overdue` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX `watched_deliveries` ON `deliveries` (`watch_from`) WHERE watch_from IS NOT NULL;--> statement-breakpoint
ALTER TABLE `events` ADD `origin` text;--> statement-breakpoint
ALTER TABLE `events` ADD `hash` text;--> statement-breakpoint
CREATE INDEX `events_access` ON `events` (`tenant_id`,`user_id`,`sequence`) WHERE type IN ('user.deactivated', 'user.deleted', 'user.sessions_revoked', 'user.reactivated');--> statement-breakpoint
CREATE INDEX `unsealed_events` ON `events` (`tenant_id`,`sequence`) WHERE hash IS NULL;--> statement-breakpoint
ALTER TABLE `jobs` ADD `invalid` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `receivers` ADD `is_polled` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `receivers` ADD `settings` text;--> statement-breakpoint
ALTER TABLE `receivers` ADD `issuer` text;--> statement-breakpoint
ALTER TABLE `receivers` ADD `authorization` text;--> statement-breakpoint
ALTER TABLE `receivers` ADD `notice` text;--> statement-breakpoint
ALTER TABLE `receivers` ADD `failures` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `receivers` ADD `failing_since` integer;--> statement-breakpoint
ALTER TABLE `receivers` ADD `open_until` integer;--> statement-breakpoint
ALTER TABLE `resources` ADD `profile` text;--> statement-breakpoint
ALTER TABLE `resources` ADD `role` text;--> statement-breakpoint
ALTER TABLE `resources` ADD `target_group` text;--> statement-breakpoint
ALTER TABLE `resources` ADD `deleted_at` integer;--> statement-breakpoint
CREATE INDEX `resources_large` ON `resources` (`tenant_id`,`type`,`scope`) WHERE octet_length(document) > 8000;--> statement-breakpoint
CREATE INDEX `resources_role` ON `resources` (`tenant_id`,`role`,`serial`) WHERE role IS NOT NULL;--> statement-breakpoint
CREATE INDEX `resources_target_group` ON `resources` (`tenant_id`,`target_group`,`serial`) WHERE target_group IS NOT NULL;--> statement-breakpoint
ALTER TABLE `tenants` ADD `profile_version` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `tenants` ADD `profile_document` text;--> statement-breakpoint
ALTER TABLE `tenants` ADD `configured` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `totals` ADD `active` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
UPDATE `tenants` SET `configured` = 1 WHERE EXISTS (SELECT 1 FROM `tenant_schemas` s WHERE s.`tenant_id` = `tenants`.`tenant_id`);
