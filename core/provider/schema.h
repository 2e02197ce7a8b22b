/* A part of JSON Schema 2020-12, as much as our own files need, over io/json.h.
 *
 * Keywords: type, const, enum, minimum, maximum, minLength, maxLength (code points), minItems, maxItems,
 * items, uniqueItems, minProperties, maxProperties, required, properties, additionalProperties,
 * propertyNames (with minLength, maxLength, enum), anyOf, oneOf, $ref to "#/$defs/NAME", and $defs at the
 * top. Said and not looked at: title, description, and at the top $id and $schema (of 2020-12). Any other
 * keyword is an error of the schema, so that none is passed over in silence.
 *
 * Where we differ from the standard:
 *   a subschema is an object; only additionalProperties may be true or false instead;
 *   limits are whole numbers;
 *   "integer" means written so (js_i64 takes it): neither 1.0 nor 1e3;
 *   uniqueItems refuses lists of more than SCHEMA_UNIQUE_MAX items. */
#ifndef FG_PROVIDER_SCHEMA_H
#define FG_PROVIDER_SCHEMA_H

#include "io/json.h"

#define SCHEMA_UNIQUE_MAX 1000
#define SCHEMA_FORMS_MAX 16 /* of anyOf and oneOf */

/* Checks the schema itself, once. FG_CONFIG with "#PATH: words" as detail, PATH a JSON pointer into the
 * schema. */
enum fg_code schema_check(struct fg_ctx *cx, const struct js *schema) FG_MUST_CHECK;

/* schema has passed schema_check. FG_CONFIG with "PATH: words" as detail for the first thing that is
 * wrong; PATH: a JSON pointer of the value, "/" for the top, and what is absent has one, too:
 * "/models/x/price: is required". Also FG_CONFIG when the schema never comes to an end: a $ref that comes
 * back to itself, or far too many steps. */
enum fg_code schema_validate(struct fg_ctx *cx, const struct js *schema, const struct js *value)
    FG_MUST_CHECK;

#endif
