/*-------------------------------------------------------------------------
 *
 * filter_bits.h
 *	  The bits of the do-not-call filter: a blocked Bloom filter.
 *
 *	  A key belongs to one block of 64 bytes, a cache line, and sets one bit in
 *	  each of the block's eight words ("Cache-, Hash- and Space-Efficient Bloom
 *	  Filters", Putze, Sanders, Singler 2007; the split block filter of Apache
 *	  Parquet, from which the eight odd multipliers are taken).  So a question
 *	  costs one miss of the cache, and seven times out of eight ends early.
 *
 *	  With n keys in a block, a bit of a word is set with 1 - (63/64)^n, and a
 *	  key that is not there passes with the eighth power of that, averaged over
 *	  the blocks: 0.1 % at 32 keys a block (16 bits a key), 0.02 % at the 20
 *	  bits that a new filter has, 1 % at 48 keys a block and 3 % at 64.
 *
 *	  Bits are set by atomic operations and never cleared while a filter is in
 *	  use, so readers take no lock.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_COMPLIANCE_FILTER_BITS_H
#define LS_COMPLIANCE_FILTER_BITS_H

#include "common/hashfn.h"
#include "port/atomics.h"
#include "utils/uuid.h"

#define LS_FILTER_WORDS 8

typedef struct LsFilterBlock
{
	pg_atomic_uint64 word[LS_FILTER_WORDS];
} LsFilterBlock;

/* The hash of a number, or of a number of an organisation. */
static inline uint64
ls_filter_hash(const pg_uuid_t *org, const char *number, int len)
{
	uint64 seed = 0;

	if (org != NULL)
		seed = hash_bytes_extended(org->data, UUID_LEN, 0);
	return hash_bytes_extended((const unsigned char *) number, len, seed);
}

/* The block of a key: the high half of the hash, spread over n blocks. */
static inline LsFilterBlock *
ls_filter_block(LsFilterBlock *blocks, uint32 n, uint64 hash)
{
	return &blocks[((hash >> 32) * n) >> 32];
}

/* The bit of a key in a word: the low half of the hash, mixed anew for each. */
static inline uint64
ls_filter_bit(uint64 hash, int word)
{
	static const uint32 mix[LS_FILTER_WORDS] = {0x47b6137bU, 0x44974d91U, 0x8824ad5bU, 0xa2b7289dU,
		0x705495c7U, 0x2df1424bU, 0x9efc4947U, 0x5c6bfb31U};

	return UINT64CONST(1) << (((uint32) hash * mix[word]) >> 26);
}

/* May a key be there? */
static inline bool
ls_filter_test(LsFilterBlock *blocks, uint32 n, uint64 hash)
{
	LsFilterBlock *block = ls_filter_block(blocks, n, hash);
	int i;

	for (i = 0; i < LS_FILTER_WORDS; i++)
	{
		if ((pg_atomic_read_u64(&block->word[i]) & ls_filter_bit(hash, i)) == 0)
			return false;
	}
	return true;
}

/* Add a key; true when it was not there, as far as one can tell. */
static inline bool
ls_filter_set(LsFilterBlock *blocks, uint32 n, uint64 hash)
{
	LsFilterBlock *block = ls_filter_block(blocks, n, hash);
	bool added = false;
	int i;

	for (i = 0; i < LS_FILTER_WORDS; i++)
	{
		uint64 bit = ls_filter_bit(hash, i);

		if ((pg_atomic_read_u64(&block->word[i]) & bit) == 0)
		{
			(void) pg_atomic_fetch_or_u64(&block->word[i], bit);
			added = true;
		}
	}
	return added;
}

#endif /* LS_COMPLIANCE_FILTER_BITS_H */
