/* Included before every C file that mypyc makes; set by compile_hook.py.

   mypyc frees the instances of every class by way of CPython's trashcan, which keeps what nests deeper than 50 in a
   list that runs through the garbage collector's header. Instances of a class with acyclic=True have no such header:
   the list would be written over the last bytes of whatever lies before them in memory. So these are freed at once. */

#ifndef PY_SSIZE_T_CLEAN
#define PY_SSIZE_T_CLEAN
#endif
#include <Python.h>

#if PY_VERSION_HEX < 0x030D0000
#define _PyTrash_cond(op, dealloc) \
    (PyType_HasFeature(Py_TYPE(op), Py_TPFLAGS_HAVE_GC) && (_PyTrash_cond)(op, dealloc))
#elif PY_VERSION_HEX < 0x030E0000
/* Here the condition is in the macro itself. No class of ours holds another of its kind but in a list, a dict or a set,
   and these keep the nesting of deallocators within bounds. From 3.14 on CPython looks for the header by itself. */
#undef Py_TRASHCAN_BEGIN
#undef Py_TRASHCAN_END
#define Py_TRASHCAN_BEGIN(op, dealloc) do {
#define Py_TRASHCAN_END } while (0);
#endif
