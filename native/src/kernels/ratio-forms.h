// The kernels of ratio blocks are compiled for each form of ids; this chooses among them, once a call.
#pragma once

#include <cstddef>
#include <type_traits>

#include "../kernels.h"

namespace farsight {

// Every file has its own, so that the linker merges none of them with code for another instruction set.
namespace {

// Of the ids' upper parts of a chunk of 64 codes.
constexpr size_t upper_bytes_of(IdForm form) {
  return form == IdForm::kWord ? 64 : form == IdForm::kTenBit ? 16 : 0;
}

template <IdForm kForm>
using Form = std::integral_constant<IdForm, kForm>;

// Calls use() with an object whose type has the form as its `value`.
template <typename Use>
void with_form(IdForm form, const Use& use) {
  if (form == IdForm::kWord) return use(Form<IdForm::kWord>());
  if (form == IdForm::kTenBit) return use(Form<IdForm::kTenBit>());
  return use(Form<IdForm::kByte>());
}

} // namespace

} // namespace farsight
