// SPDX-License-Identifier: Apache-2.0
#ifndef VMCALL_FAILURE_H
#define VMCALL_FAILURE_H

#include <napi.h>

#include <string>

/** A libvirt error, whole, taken in the thread that got it: what a call in the executor throws. */
struct Failure {
  int code;    ///< virErrorNumber
  int domain;  ///< virErrorDomain: the part of libvirt that raised it
  int level;   ///< virErrorLevel
  std::string message;

  /** The last error of a libvirt call in this thread. */
  static Failure Last();
  /** An error of our own in libvirt's form, e.g. out of memory. */
  static Failure Internal(std::string message);

  /** An Error with these fields as properties. */
  Napi::Error ToError(Napi::Env env) const;
};

/** The result of a libvirt call that returns NULL on failure. */
template <typename T>
T* Checked(T* result) {
  if (!result) throw Failure::Last();
  return result;
}

/** The result of a libvirt call that returns a negative number on failure. */
inline int Checked(int result) {
  if (result < 0) throw Failure::Last();
  return result;
}

/** A string that libvirt allocated for us, NULL on failure. */
std::string TakeString(char* result);

/** An Error of the addon itself with a stable code, for a call that cannot be made. */
Napi::Error OwnError(Napi::Env env, const char* code, const std::string& message);

#endif
