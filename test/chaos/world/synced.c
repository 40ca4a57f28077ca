/*
 * Preloaded into a Redis server of a chaos run. Whenever a sync of a file has returned, the length that
 * the file had before is written down: that much survives a power cut, and no more. When a file named
 * "fail" appears in the same folder, syncs fail as on a broken disk.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int record(int (*real)(int), int fd) {
  const char *folder = getenv("LIAISON_SYNCED");
  struct stat before;
  char name[512], link[64], path[512];
  if (folder == NULL || fstat(fd, &before) != 0 || !S_ISREG(before.st_mode)) return real(fd);
  snprintf(name, sizeof name, "%s/fail", folder);
  if (access(name, F_OK) == 0) {
    errno = EIO;
    return -1;
  }
  int result = real(fd);
  if (result != 0) return result;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0) return result;
  path[length] = 0;
  const char *base = strrchr(path, '/');
  snprintf(name, sizeof name, "%s/%s", folder, base == NULL ? path : base + 1);
  int out = open(name, O_WRONLY | O_CREAT, 0600);
  if (out < 0) return result;
  char text[32];
  int count = snprintf(text, sizeof text, "%20lld\n", (long long)before.st_size);
  if (pwrite(out, text, (size_t)count, 0) != count) abort();
  close(out);
  return result;
}

int fsync(int fd) {
  static int (*real)(int);
  if (real == NULL) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  return record(real, fd);
}

int fdatasync(int fd) {
  static int (*real)(int);
  if (real == NULL) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  return record(real, fd);
}
