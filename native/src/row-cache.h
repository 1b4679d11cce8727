// Decoded rows, kept: a session labels some items a round and is trained on all of them round after round, and a row of
// a column-wise block is a cache miss per value or two. What decode() writes does not depend on what is kept.
#pragma once

#include <vector>

#include "search.h"

namespace farsight {

class RowCache {
 public:
  // At most so many bytes of rows and of their places.
  explicit RowCache(size_t limit_bytes) : limit_(limit_bytes) {}

  // decode_items(). `space` tells cells apart: the caller's number for these, always the same and of no others.
  void decode(uint32_t space, const Cells& cells, std::span<const uint32_t> items, uint32_t* ids, float* values);

  size_t bytes() const { return young_.bytes() + old_.bytes(); }

 private:
  // Rows by key. New ones are added to the young half; when it is full it becomes the old one, and what is asked of the
  // old one moves back to the young: the least recently used half is what goes.
  class Half {
   public:
    const uint32_t* find(uint64_t key) const;
    // Hints that a key is about to be looked for: first of its place, and when that is there of its row.
    void prefetch_place(uint64_t key) const;
    void prefetch_row(uint64_t key, size_t words) const;
    // Whether there was room for a row of so many words within `limit` bytes; a key that is not there yet.
    bool add(uint64_t key, const uint32_t* ids, const float* values, size_t row, size_t limit);
    size_t bytes() const { return words_.capacity() * sizeof(uint32_t) + places_.size() * sizeof(Place); }

   private:
    struct Place {
      uint64_t key;
      uint64_t end = 0; // one more than where the row begins among the words; 0: free
    };

    size_t first_position(uint64_t key) const;
    size_t position(uint64_t key) const;
    void widen();

    std::vector<uint32_t> words_; // the values of a row as bits, then its ids
    std::vector<Place> places_;   // open addressing, a power of two of them
    size_t rows_ = 0;
  };

  void keep(uint64_t key, const uint32_t* ids, const float* values, size_t row);

  const size_t limit_;
  Half young_, old_;
};

} // namespace farsight
