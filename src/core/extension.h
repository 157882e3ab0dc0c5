/*-------------------------------------------------------------------------
 *
 * extension.h
 *	  Other extensions that are used when they are installed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_CORE_EXTENSION_H
#define LS_CORE_EXTENSION_H

extern char *ls_extension_schema(const char *extension);
extern char *ls_require_extension(const char *extension, const char *what);
extern char *ls_installed_version(void);
extern bool ls_relation_is_distributed(Oid relid);
extern void ls_extension_init(void);

#endif /* LS_CORE_EXTENSION_H */
