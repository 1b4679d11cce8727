// Groups and visits; see assign-groups.h.
#include "assign-groups.h"

#include <cmath>

namespace farsight {

std::vector<uint32_t> seeded_sample(size_t count, size_t total, uint64_t seed) {
  uint64_t state = seed;
  const auto draw = [&] {
    uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
  };
  std::vector<uint32_t> sample;
  for (size_t i = 0; i < total && sample.size() < count; ++i) {
    // Taken with probability (wanted left) / (numbers left), in 64-bit fixed point.
    if ((static_cast<unsigned __int128>(draw()) * (total - i)) >> 64 < count - sample.size()) {
      sample.push_back(static_cast<uint32_t>(i));
    }
  }
  return sample;
}

Groups grouped(const std::vector<uint16_t>& of, size_t groups) {
  std::vector<uint32_t> sizes(groups, 0);
  for (const uint16_t g : of) ++sizes[g];
  Groups out;
  std::vector<uint32_t> next(groups);
  out.starts.push_back(0);
  for (size_t g = 0; g < groups; ++g) {
    next[g] = out.starts.back();
    if (sizes[g] > 0) out.starts.push_back(next[g] + sizes[g]);
  }
  out.members.resize(of.size());
  for (size_t i = 0; i < of.size(); ++i) out.members[next[of[i]]++] = static_cast<uint32_t>(i);
  return out;
}

size_t root_of(size_t number) {
  return std::max<size_t>(1, static_cast<size_t>(std::llround(std::sqrt(static_cast<double>(number)))));
}

void write_groups(const Groups& found, const std::vector<uint32_t>& kind_of, uint32_t* groups) {
  std::vector<uint32_t> of(found.members.size());
  for (size_t g = 0; g < found.count(); ++g) {
    for (size_t i = found.starts[g]; i < found.starts[g + 1]; ++i) of[found.members[i]] = static_cast<uint32_t>(g);
  }
  for (size_t i = 0; i < kind_of.size(); ++i) groups[i] = of[kind_of[i]];
}

Groups divided(const Groups& groups, size_t most) {
  const size_t mean = std::max<size_t>(groups.members.size() / groups.count(), 1);
  size_t room = most - groups.count();
  Groups out;
  out.starts.push_back(0);
  std::vector<uint32_t> taken;
  for (size_t g = 0; g < groups.count(); ++g) {
    const size_t first = groups.starts[g], size = groups.starts[g + 1] - first;
    const size_t parts = size > kOverfull * mean ? std::min(size / mean, room + 1) : 1;
    room -= parts - 1;
    size_t part = 1;
    for (size_t i = 0; i < size; ++i) {
      const bool out_of_it = part < parts && i == size * part / parts;
      part += out_of_it;
      (out_of_it ? taken : out.members).push_back(groups.members[first + i]);
    }
    out.starts.push_back(static_cast<uint32_t>(out.members.size()));
  }
  for (const uint32_t member : taken) {
    out.members.push_back(member);
    out.starts.push_back(static_cast<uint32_t>(out.members.size()));
  }
  return out;
}

Visits visits_by_group(const std::vector<uint16_t>& groups_of_visits, size_t groups, size_t threads) {
  const size_t count = groups_of_visits.size();
  const size_t shares = std::clamp<size_t>(threads, 1, std::max<size_t>(count, 1));
  const auto first_of = [&](size_t share) { return count * share / shares; };
  std::vector<std::vector<uint32_t>> next(shares, std::vector<uint32_t>(groups, 0));
  run_parts(shares, [&](size_t share) {
    for (size_t v = first_of(share); v < first_of(share + 1); ++v) ++next[share][groups_of_visits[v]];
  });
  Visits visits;
  visits.starts.assign(groups + 1, 0);
  uint32_t at = 0;
  for (size_t g = 0; g < groups; ++g) {
    visits.starts[g] = at;
    for (size_t share = 0; share < shares; ++share) {
      const uint32_t here = next[share][g];
      next[share][g] = at;
      at += here;
    }
  }
  visits.starts[groups] = at;
  visits.order.resize(count);
  run_parts(shares, [&](size_t share) {
    for (size_t v = first_of(share); v < first_of(share + 1); ++v) {
      visits.order[next[share][groups_of_visits[v]]++] = static_cast<uint32_t>(v);
    }
  });
  return visits;
}

} // namespace farsight
