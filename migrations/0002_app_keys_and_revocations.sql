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
CREATE INDEX `old_revocations` ON `revocations` (`deleted_at`) WHERE deleted_at IS NOT NULL;