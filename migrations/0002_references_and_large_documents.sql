CREATE INDEX `resources_large` ON `resources` (`tenant_id`,`type`,`scope`) WHERE octet_length(document) > 8000;
--> statement-breakpoint
-- Who is whose manager, by an index; and of a manager only the id is kept, as the rest is said anew each time.
INSERT OR IGNORE INTO `lookups` (`tenant_id`, `type`, `attribute`, `scope`, `value`, `resource_id`, `is_unique`)
SELECT `tenant_id`, `type`, 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value', '',
  json_extract(`document`, '$."urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"."manager"."value"'), `id`, 0
FROM `resources` WHERE `type` = 'User' AND
  ifnull(json_extract(`document`, '$."urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"."manager"."value"') <> '', 0);
--> statement-breakpoint
UPDATE `resources` SET
  `document` = json_remove(`document`, '$."urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"."manager"."$ref"'),
  `comparable` = json_remove(`comparable`, '$."urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"."manager"."$ref"')
WHERE `type` = 'User' AND
  json_extract(`document`, '$."urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"."manager"."value"') IS NOT NULL AND
  json_extract(`document`, '$."urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"."manager"."$ref"') IS NOT NULL;
