/*-------------------------------------------------------------------------
 *
 * module.cc
 *	  Tells the server that lead_system_phone.so is a module for it.
 *
 *-------------------------------------------------------------------------
 */
extern "C"
{
#include "postgres.h"

#include "fmgr.h"

	PG_MODULE_MAGIC;
}
