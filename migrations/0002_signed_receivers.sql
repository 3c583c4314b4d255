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
ALTER TABLE `deliveries` ADD `answered` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `receivers` ADD `is_polled` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `receivers` ADD `settings` text;--> statement-breakpoint
ALTER TABLE `receivers` ADD `issuer` text;--> statement-breakpoint
ALTER TABLE `receivers` ADD `authorization` text;--> statement-breakpoint
ALTER TABLE `receivers` ADD `notice` text;